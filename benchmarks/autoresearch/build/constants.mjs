/** A Python file with other values in its lines `NAME = value`. */
export function setConstants(text, values) {
  return Object.entries(values).reduce((done, [name, value]) => {
    const line = new RegExp(`^${name} = .*$`, 'm');
    if (!line.test(done)) throw new Error(`no line "${name} = …"`);
    return done.replace(line, `${name} = ${value}`);
  }, text);
}
