// Validates YAML files with yaml-language-server (over stdio, as an editor talks to it, the schema found
// through the file's first line) and with ajv. Arguments: the files. Prints one JSON object:
// file -> { server: [messages], ajv: [messages] }.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Ajv from 'ajv';
import YAML from 'yaml';

const files = process.argv.slice(2).map((file) => resolve(file));
const schemaOf = (file, text) => {
  const line = /^# yaml-language-server: \$schema=(\S+)/.exec(text);
  if (!line) throw new Error(`${file} names no schema in its first line`);
  return resolve(dirname(file), line[1]);
};

const compiled = new Map();
function ajv(file, text) {
  const path = schemaOf(file, text);
  if (!compiled.has(path)) {
    const schema = JSON.parse(readFileSync(path, 'utf8'));
    // Strict: an unknown keyword in a schema is an error; these are the two that editors know.
    const strict = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    strict.addVocabulary(['markdownEnumDescriptions']);
    compiled.set(path, strict.compile(schema));
  }
  let value;
  try {
    value = YAML.parse(text, { maxAliasCount: 100 });
  } catch (error) {
    return [String(error.message)];
  }
  const validate = compiled.get(path);
  return validate(value) ? [] : validate.errors.map((it) => `${it.instancePath} ${it.message}`);
}

const home = dirname(createRequire(import.meta.url).resolve('yaml-language-server/package.json'));
const server = spawn(process.execPath, [`${home}/bin/yaml-language-server`, '--stdio'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
let buffer = Buffer.alloc(0);
let next = 0;
const waiting = new Map();
const found = new Map();
const send = (message) => {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
};
const request = (method, params) =>
  new Promise((done) => {
    next += 1;
    waiting.set(next, done);
    send({ id: next, method, params });
  });
const settings = { yaml: { validate: true, schemaStore: { enable: false }, hover: true } };
function receive(message) {
  if (message.method === 'workspace/configuration') {
    const answer = message.params.items.map((item) => settings[item.section] ?? {});
    send({ id: message.id, result: answer });
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (message.method === 'textDocument/publishDiagnostics') {
    found.get(message.params.uri)?.(message.params.diagnostics.map((it) => it.message));
  } else if (waiting.has(message.id)) {
    waiting.get(message.id)(message.result);
  }
}
server.stdout.on('data', (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end))[1]);
    if (buffer.length < end + 4 + length) return;
    const text = buffer.subarray(end + 4, end + 4 + length).toString();
    buffer = buffer.subarray(end + 4 + length);
    receive(JSON.parse(text));
  }
});

await request('initialize', {
  processId: process.pid,
  rootUri: null,
  capabilities: { workspace: { configuration: true } },
});
send({ method: 'initialized', params: {} });
const results = {};
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  const uri = pathToFileURL(file).href;
  const diagnostics = new Promise((done) => found.set(uri, done));
  send({
    method: 'textDocument/didOpen',
    params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
  });
  results[file] = { server: await diagnostics, ajv: ajv(file, text) };
}
// What an editor shows over the action of a step: proof that the schema was really found and used.
const shown = files.find((file) => file.endsWith('/restore-db.yaml') && file.includes('runbooks'));
if (shown) {
  const line = readFileSync(shown, 'utf8').split('\n').findIndex((it) => it.includes('uses: rds.'));
  const hover = await request('textDocument/hover', {
    textDocument: { uri: pathToFileURL(shown).href },
    position: { line, character: 12 },
  });
  results.hover = JSON.stringify(hover?.contents ?? null);
}
process.stdout.write(JSON.stringify(results));
server.kill();
