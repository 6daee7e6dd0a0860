// Removes old build output, so that a renamed source file leaves no ghost behind.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
