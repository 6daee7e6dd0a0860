// Makes the built command executable: npm does so once, when it links it, and each build makes the file anew.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli.js', import.meta.url), 0o755);
