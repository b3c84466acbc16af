// The package cluster-client itself, told line by line what to do.
// usage: cluster_client.mjs PORT NAME
// stdin: {"do": "subscribe|unSubscribe|publish|invoke|oneway|push", "args": [...]}, "quit"
// stdout: {"is": "ready|leader|value|result|error|asked", ...}
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const cluster = require('cluster-client');
const Base = require('sdk-base');
const [port, name] = process.argv.slice(2);
const tell = (is, what = {}) => console.log(JSON.stringify({ is, ...what }));
let real;

class Real extends Base {
  constructor () {
    super();
    real = this;
    this.listeners_ = new Map();
    tell('leader');
    this.ready(true);
  }
  subscribe (reg, listener) {
    this.listeners_.set(JSON.stringify(reg), listener);
    tell('asked', { method: 'subscribe', args: [reg] });
  }
  unSubscribe () {} // the package asks for it by name, and never calls it
  publish (reg) { tell('asked', { method: 'publish', args: [reg] }); }
  async echo (...args) { return { args }; }
  async refuse (why) { throw Object.assign(new TypeError(why), { code: 'E1' }); }
  note (...args) { tell('asked', { method: 'note', args }); }
}

const client = cluster(Real, { port: Number(port), name, logger: { info () {}, warn () {}, error () {}, debug () {} } })
  .delegate('echo').delegate('refuse').delegate('note', 'invokeOneway').create();
client.on('error', e => tell('error', { message: e.message }));
client.ready().then(() => tell('ready', { leads: client.isClusterClientLeader }));
const value = v => tell('value', { value: v });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'quit') process.exit(0);
  const { do: what, args } = JSON.parse(line);
  if (what === 'subscribe') client.subscribe(args[0], value);
  else if (what === 'unSubscribe') client.unSubscribe(args[0], value);
  else if (what === 'publish') client.publish(args[0]);
  else if (what === 'push') real.listeners_.get(JSON.stringify(args[0]))(args[1]);
  else if (what === 'oneway') client.note(...args);
  else {
    client[what](...args).then(result => tell('result', { result }),
      ({ name, message, code }) => tell('result', { failed: { name, message, code } }));
  }
}
