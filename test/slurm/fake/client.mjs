#!/usr/bin/env node
import { connect } from 'node:net';
import { basename } from 'node:path';

// A program of Slurm by the name that it is called by: says to the pretended cluster what it was asked, and does as told.
const socket = connect(process.env.SLURM_CONF);
socket.end(
  JSON.stringify({ program: basename(process.argv[1]), args: process.argv.slice(2), env: process.env }),
);
let answer = '';
socket.setEncoding('utf8').on('data', (text) => {
  answer += text;
});
socket.on('close', () => {
  const { code, stdout, stderr, signal } = JSON.parse(answer);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (signal) process.kill(process.pid, signal);
  process.exitCode = code;
});
