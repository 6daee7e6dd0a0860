#!/usr/bin/env bash
# A real Slurm of one node with two pretend GPUs, for tests: `install.sh [start|stop]`. It is installed by apt and lives
# in one folder with ports and a munge of its own, so that no other Slurm of the machine is touched. Needs root.
# Calling it again does nothing where it runs. Tests find it by `slurm.conf` in that folder.
set -euo pipefail

dir=/tmp/evolve-slurm
export SLURM_CONF=$dir/slurm.conf

fail() {
  echo "test/slurm/install.sh: $*" >&2
  exit 1
}

# Ends the process of a pid file, where it is still the program of that name, and waits for it.
end() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 0
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 0
  kill "$pid"
  for _ in $(seq 100); do
    [ -e "/proc/$pid" ] || return 0
    sleep 0.1
  done
  kill -KILL "$pid"
}

# Without a configuration sinfo would search the network for one, for a minute. While a job is just ending the node is `comp`.
answers() {
  [ -f "$SLURM_CONF" ] && sinfo --noheader --format=%t 2>/dev/null | grep -Eq '^(idle|mix|alloc|comp)'
}

stop() {
  # Jobs first, as slurmd leaves them running.
  if answers; then
    scancel --user="$(id -un)" || true
    for _ in $(seq 100); do
      [ -n "$(squeue --noheader 2>/dev/null)" ] || break
      sleep 0.1
    done
  fi
  end slurmd
  end slurmctld
  end munged
  rm -rf "$dir"
}

configure() {
  local host memory
  host=$(hostname -s)
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  # More CPUs than there may be: the jobs of tests mostly wait.
  cat <<END
ClusterName=evolve
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,default_queue_depth=1000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MpiDefault=none
GresTypes=gpu
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
EnforcePartLimits=ALL
MinJobAge=30
KillWait=3
MaxJobCount=50000
MaxArraySize=1001
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=$host MaxTime=1 State=UP
PartitionName=closed Nodes=$host AllowAccounts=nobody State=UP
PartitionName=down Nodes=$host State=DOWN
END
}

start() {
  if answers && diff -q <(configure) "$SLURM_CONF" >/dev/null; then return 0; fi
  if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v munged >/dev/null; then
    command -v apt-get >/dev/null || fail 'Slurm is not installed, and there is no apt-get to install it'
    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      slurmctld slurmd slurm-client munge) >&2 || fail 'apt-get could not install Slurm'
  fi
  stop
  mkdir -m 755 "$dir"
  mkdir "$dir/state" "$dir/spool"
  configure >"$SLURM_CONF"
  echo "NodeName=$(hostname -s) Name=gpu Count=2 File=/dev/zero,/dev/null" >"$dir/gres.conf"
  head -c 128 /dev/urandom >"$dir/munge.key"
  chmod 400 "$dir/munge.key"
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>/dev/null 9>&- || fail 'munged does not start'
  # The daemons outlive a terminal, and hold no pipe of who called this.
  setsid slurmctld </dev/null >"$dir/start.log" 2>&1 9>&- || fail "slurmctld does not start: $(tail -1 "$dir/start.log")"
  setsid slurmd </dev/null >>"$dir/start.log" 2>&1 9>&- || fail "slurmd does not start: $(tail -1 "$dir/start.log")"
  for _ in $(seq 300); do
    if answers; then return 0; fi
    sleep 0.1
  done
  fail "the node does not come up; see $dir/slurmctld.log and slurmd.log"
}

[ "$(id -u)" = 0 ] || fail 'it takes root to start a Slurm for tests'
# One at a time: of two that are to start it, the second finds it running.
exec 9>"$dir.lock"
flock 9
case ${1:-start} in
  start | stop) "${1:-start}" ;;
  *) fail "unknown command '$1': start or stop" ;;
esac
