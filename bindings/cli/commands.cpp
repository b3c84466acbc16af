// The command lines: every flag, its help and where it goes. The only file
// that includes CLI11, which is slow to compile.
#include "commands.hpp"

#include "program.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <numeric>

namespace cli {

namespace {

void add_common(CLI::App& command, Common& o, const char* params_help) {
  if (params_help != nullptr) command.add_option("--param", o.params, params_help)->type_name("K=V")->allow_extra_args(false);
  command
      .add_option("-o,--option", o.sets,
                  "set any option of the library (see `meshwork options`); @file reads the value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--json", o.json, "one JSON object a line on standard output");
  command.add_flag("-q,--quiet", o.quiet, "no remarks on standard error");
  command.add_flag("-v,--verbose", o.verbose, "show the library's log on standard error");
}

void add_provide(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<ProvideOptions>();
  CLI::App* c = app.add_subcommand("provide", "listen, send lines to every consumer, print what they say");
  c->add_option("--host", o->host, "address to listen on; 0.0.0.0 or :: for every network")->capture_default_str();
  c->add_option("-p,--port", o->port, "port to listen on; 0 for any free one")->capture_default_str()->check(CLI::Range(0, 65535));
  c->add_option("--path", o->path, "path of the URL (/connect)");
  auto* key = c->add_option("--tls-key", o->tls_key, "private key, PEM; with --tls-cert the provider speaks TLS only");
  auto* cert = c->add_option("--tls-cert", o->tls_cert, "certificate chain, PEM");
  key->needs(cert);
  cert->needs(key);
  add_common(*c, o->common, "parameter a consumer must show to be let in; @file reads the value");
  c->add_option("-f,--file", o->file, "send the lines of this file instead of standard input");
  c->add_flag("--no-input", o->no_input, "send nothing; only listen");
  c->add_option("-t,--topic", o->topic, "send to consumers subscribed to this topic only");
  c->add_option("--rate", o->rate, "at most so many lines a second")->check(CLI::PositiveNumber);
  c->add_option("--wait", o->wait, "send nothing before so many consumers are there (1; 0 from a terminal)")->check(CLI::NonNegativeNumber);
  c->add_flag("--drop", o->drop, "never wait for a slow consumer: it loses its oldest lines, and is told of");
  c->add_flag("--stamp", o->stamp, "add a header `sent` with the time, for `consume --stats`");
  c->add_flag("--echo", o->echo, "send every message back to its sender");
  c->add_flag("-x,--exit", o->exit, "drain and leave when the input ends");
  c->footer(
      "Examples:\n"
      "  meshwork provide --port 8080                       what you type goes to everybody\n"
      "  tail -f app.log | meshwork provide --param key=@secret.txt\n"
      "  meshwork provide --tls-key key.pem --tls-cert cert.pem --host 0.0.0.0 --echo\n"
      "  meshwork provide --file words.txt --wait 2 --exit  a file to two consumers, lossless\n"
      "Lines go as fast as the slowest consumer reads (see --drop). Ctrl-C drains; twice quits.");
  c->callback([o, &exit_code] { exit_code = provide(*o); });
}

void add_consume(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<ConsumeOptions>();
  CLI::App* c = app.add_subcommand("consume", "connect, print what comes, send the lines of standard input");
  c->add_option("target", o->target, "ws://host:port/path or wss://..., or host, :port or host:port")->required();
  c->add_flag("--tls", o->tls, "use TLS (said already by wss://)");
  c->add_option("--ca", o->ca, "certificate authority to trust, PEM (the system's)");
  auto* cert = c->add_option("--tls-cert", o->cert, "own certificate, PEM, for mutual TLS");
  auto* key = c->add_option("--tls-key", o->key, "own private key, PEM");
  key->needs(cert);
  cert->needs(key);
  c->add_flag("--insecure", o->insecure, "do not check the provider's certificate; tests only");
  add_common(*c, o->common, "parameter to show to the provider; @file reads the value");
  c->add_option("-s,--subscribe", o->topics, "topic to subscribe to; may be given again")->type_name("TOPIC")->allow_extra_args(false);
  c->add_option("--send", o->sends, "text to send after each connect; may be given again")->type_name("TEXT")->allow_extra_args(false);
  c->add_option("-f,--file", o->file, "send the lines of this file instead of standard input");
  c->add_flag("--no-input", o->no_input, "send nothing; only listen");
  c->add_option("-n,--count", o->count, "leave after so many messages");
  c->add_option("--timeout", o->timeout, "give up after so many seconds")->check(CLI::PositiveNumber);
  c->add_flag("--retry", o->retry, "keep trying when the first connection fails");
  c->add_flag("--once", o->once, "leave when the connection ends instead of coming back");
  c->add_option("--wire", o->wire, "meshwork, network-cluster, or raw for any WebSocket server");
  c->add_flag("--stats", o->stats, "at the end: counts, and latency of stamped messages, on standard error");
  c->add_flag("-x,--exit", o->exit, "drain and leave when the input ends");
  c->footer(
      "Examples:\n"
      "  meshwork consume :8080                             talk to a provider on this host\n"
      "  meshwork consume wss://host:8080/connect --ca ca.pem --param key=@secret.txt --json\n"
      "  meshwork consume :8080 -s news -n 1 --no-input     the next message of a topic\n"
      "  meshwork consume wss://example.org/socket --wire raw\n"
      "After the first connection it comes back by itself. Ctrl-C drains; twice quits.");
  c->callback([o, &exit_code] { exit_code = consume(*o); });
}

void add_manager(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<ManagerOptions>();
  CLI::App* c = app.add_subcommand("manager", "say who is in a mesh: nodes with registry=manager report here");
  c->add_option("-m,--mesh", o->mesh, "the mesh: its nodes' cluster.deployment")->required();
  c->add_option("--host", o->host, "address to listen on; 0.0.0.0 or :: for every network")->capture_default_str();
  c->add_option("-p,--port", o->port, "port to listen on; 0 for any free one, and discovery.port (8765)")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  add_common(*c, o->common, nullptr);
  c->footer(
      "Examples:\n"
      "  meshwork manager -m shop -p 8700\n"
      "  meshwork manager -m shop --host 0.0.0.0 -p 8700 -o link.secret=@secret.txt -o link.secrets=@roles.json\n"
      "  meshwork node -m shop -o registry=manager -o registry.url=127.0.0.1:8700\n"
      "Without it the nodes go on; only nobody can join. Ctrl-C leaves.");
  c->callback([o, &exit_code] { exit_code = manager(*o); });
}

void add_bench(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<BenchOptions>();
  CLI::App* c = app.add_subcommand("bench", "measure round trips against an echo provider");
  c->add_option("target", o->target, "URL or host:port of a provider that echoes (an own one in this process)");
  c->add_option("-c,--connections", o->connections, "connections")->capture_default_str()->check(CLI::Range(1, 100000));
  c->add_option("-b,--size", o->size, "bytes of a message")->capture_default_str()->check(CLI::Range(0, 1 << 20));
  c->add_option("-i,--in-flight", o->in_flight, "messages on the way, a connection")->capture_default_str()->check(CLI::Range(1, 10000));
  c->add_option("-d,--duration", o->seconds, "seconds to measure, after a tenth of that to warm up")->capture_default_str()->check(CLI::PositiveNumber);
  c->add_flag("--spin", o->spin, "never sleep: keeps a core busy, and measures the other side without our own waking up");
  c->add_option("--wire", o->wire, "raw or meshwork")->capture_default_str();
  c->add_option("--ca", o->ca, "certificate authority to trust, PEM");
  c->add_flag("--insecure", o->insecure, "do not check the provider's certificate");
  auto* key = c->add_option("--tls-key", o->tls_key, "private key of the own provider: measure TLS");
  auto* cert = c->add_option("--tls-cert", o->tls_cert, "certificate of the own provider");
  key->needs(cert);
  cert->needs(key);
  add_common(*c, o->common, "parameter to show to the provider");
  c->footer(
      "Examples:\n"
      "  meshwork bench                                     20 bytes, one connection, own provider\n"
      "  meshwork bench -c 64 -i 16 -b 1024 -d 10\n"
      "  meshwork provide --echo --no-input & meshwork bench 127.0.0.1:8080 -c 64\n"
      "p50..max are the times from send to echo. CPU is user and system time of this process.");
  c->callback([o, &exit_code] { exit_code = bench(*o); });
}

void add_hub(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<HubOptions>();
  CLI::App* c = app.add_subcommand("hub", "keep channels for the processes of this host");
  c->add_option("-c,--config", o->config, "JSON with the hub's options, comments allowed; read again on SIGHUP");
  add_common(*c, o->common, nullptr);
  c->footer(
      "A configuration:\n"
      "  { // passed on: what is said in A is heard in every channel whose name matches\n"
      "    \"channels\": { \"control\": {}, \"A\": { \"propagate\": \"B.*\", \"dump\": true }, \"B1\": {} } }\n"
      "Channels with \"multicast\": true are shared with the other hubs of the LAN:\n"
      "  -o multicast.enabled=true -o link.secret=@FILE\n"
      "Nobody needs this to use channels: without it the first member of each is its hub.\n"
      "A wrong configuration is refused whole on SIGHUP, and the one before goes on.");
  c->callback([o, &exit_code] { exit_code = hub(*o); });
}

void add_ctl(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<CtlOptions>();
  CLI::App* c = app.add_subcommand("ctl", "ask a hub of this host, or give it another configuration");
  c->add_option("command", o->words, "showconfig, reloadconfig FILE, showchannel CHANNEL or showclient CHANNEL ID; none: a prompt");
  c->add_option("-d,--dir", o->dir, "where the hub's sockets are (the usual runtime directory)");
  c->add_option("--wait", o->wait, "seconds to wait for the hub")->capture_default_str()->check(CLI::NonNegativeNumber);
  add_common(*c, o->common, nullptr);
  c->footer(
      "Examples:\n"
      "  meshwork ctl                                       a prompt, with history and completion by Tab\n"
      "  meshwork ctl showchannel A\n"
      "  meshwork ctl reloadconfig hub.json\n"
      "  meshwork ctl --dir /var/run --json showconfig      the hub of programs that use netcluster\n"
      "The hub must keep the channel control; either wire will do. Lines of a pipe are carried out, too.");
  c->callback([o, &exit_code] { exit_code = ctl(*o); });
}

void add_emit(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<EmitOptions>();
  CLI::App* c = app.add_subcommand("emit", "publish one event in a channel of this host");
  c->add_option("channel", o->channel, "name of the channel")->required();
  c->add_option("event", o->event, "name of the event")->required();
  c->add_option("body", o->body, "what it says; @file reads it");
  add_common(*c, o->common, nullptr);
  c->footer("Ends when every member that is there has it.\nExample: meshwork emit A log.warn 'disk nearly full'");
  c->callback([o, &exit_code] { exit_code = emit(*o); });
}

void add_listen(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<ListenOptions>();
  CLI::App* c = app.add_subcommand("listen", "print the events of a channel of this host");
  c->add_option("channel", o->channel, "name of the channel")->required();
  c->add_option("pattern", o->pattern, "regular expression of the events' whole names")->capture_default_str();
  c->add_option("-n,--count", o->count, "leave after so many events");
  add_common(*c, o->common, nullptr);
  c->footer("Example: meshwork listen A 'log\\.(warn|error)' --json\nCtrl-C leaves.");
  c->callback([o, &exit_code] { exit_code = listen(*o); });
}

void add_mesh(CLI::App& command, MeshOptions& o) {
  command.add_option("-m,--mesh", o.mesh, "name of the mesh: cluster.deployment of its nodes");
  command.add_option("--seed", o.seeds, "host:port of a node; may be given again (the processes of this user on this host)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command.add_option("--name", o.name, "own name in the mesh (a UUID)");
  command.add_option("--role", o.role, "own role, member.service")->capture_default_str();
  add_common(command, o.common, nullptr);
}

void add_node(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<NodeOptions>();
  CLI::App* c = app.add_subcommand("node", "join a mesh, print who comes and goes and what they serve");
  c->add_option("-s,--subscribe", o->patterns, "print events of this name, too: log/*, log/** or **; may be given again")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  add_mesh(*c, o->mesh);
  c->footer(
      "Examples:\n"
      "  meshwork node -m shop                              a mesh of this host\n"
      "  meshwork node -m shop --seed 10.0.0.5:7700 -o link.secret=@secret.txt -o host=0.0.0.0\n"
      "Ctrl-C leaves.");
  c->callback([o, &exit_code] { exit_code = node(*o); });
}

void add_call(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<CallCommand>();
  CLI::App* c = app.add_subcommand("call", "call what a member of a mesh serves, print the answer");
  c->add_option("target", o->target, "service or service.method")->required();
  auto* body = c->add_option("data", o->body, "what it is called with; @file reads it");
  c->add_option("-f,--file", o->file, "the same from a file as it is; - is standard input")->excludes(body);
  c->add_flag("-a,--all", o->all, "call all members that serve it");
  c->add_flag("--stream", o->stream, "print an answer in parts as it comes");
  c->add_option("--timeout", o->timeout, "give up after so many seconds (30)")->check(CLI::PositiveNumber);
  c->add_option("--wait", o->wait, "wait so many seconds for somebody who serves it")->check(CLI::PositiveNumber);
  c->add_option("--key", o->key, "names this call: whoever has seen the key does not run it again");
  c->add_option("--how", o->how, "an option of the call: version, only, exclude, sticky, retry.safe")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_mesh(*c, o->mesh);
  c->footer(
      "Examples:\n"
      "  meshwork call -m shop prices.of tea\n"
      "  meshwork call -m shop words.count --file book.txt --how version=^1.2\n"
      "  meshwork call -m shop prices.reload --all          a line a member; exit code 1 when one failed\n"
      "Exit code 3: nobody serves it.");
  c->callback([o, &exit_code] { exit_code = call(*o); });
}

void add_serve(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<ServeOptions>();
  CLI::App* c = app.add_subcommand("serve", "answer the calls of a mesh by a command");
  c->add_option("service", o->service, "what it serves: every method service.x, or one of them")->required();
  c->add_option("-e,--exec", o->command, "command line for /bin/sh: the call on its input, the answer on its output")->required();
  c->add_option("-j,--jobs", o->jobs, "how many run at once")->capture_default_str()->check(CLI::Range(1, 1000));
  c->add_option("--set", o->sets, "an option of the service: version, methods, mode, queue, dedupe.window")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_mesh(*c, o->mesh);
  c->footer(
      "The command finds MESHWORK_METHOD and MESHWORK_CALLER in its environment. When it ends with another code than 0\n"
      "the call fails with the last line of its standard error; when nobody waits any more it gets SIGTERM.\n"
      "Examples:\n"
      "  meshwork serve -m shop words --exec 'wc -w'\n"
      "  meshwork serve -m shop hash --exec sha256sum --jobs 8 --set version=1.2.0\n"
      "Ctrl-C finishes what runs; twice ends it.");
  c->callback([o, &exit_code] { exit_code = serve(*o); });
}

void add_publish(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<PublishOptions>();
  CLI::App* c = app.add_subcommand("publish", "publish one event to the members of a mesh that subscribed");
  c->add_option("topic", o->topic, "its name, such as log/warn")->required();
  c->add_option("body", o->body, "what it says; @file reads it");
  add_mesh(*c, o->mesh);
  c->footer("Says how many members want it.\nExample: meshwork publish -m shop log/warn 'disk nearly full'");
  c->callback([o, &exit_code] { exit_code = publish(*o); });
}

void add_members(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<MembersOptions>();
  CLI::App* c = app.add_subcommand("members", "show who is in a mesh and what they serve");
  c->add_flag("-w,--watch", o->watch, "again whenever it changes, until Ctrl-C");
  add_mesh(*c, o->mesh);
  c->footer("Examples:\n  meshwork members -m shop\n  meshwork members -m shop --watch --json");
  c->callback([o, &exit_code] { exit_code = members(*o); });
}

void add_top(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<TopOptions>();
  CLI::App* c = app.add_subcommand("top", "show who calls whom in a mesh: rates, failures, times, queues");
  c->add_option("-i,--interval", o->interval, "seconds between two looks")->capture_default_str()->check(CLI::Range(0.1, 3600.0));
  c->add_option("-n,--count", o->count, "leave after so many pages");
  add_mesh(*c, o->mesh);
  c->footer(
      "IN/s: calls that its services got. FAILED/s, P50, P99: of the calls to it, as its callers counted.\n"
      "OUT/s: calls that it made; OPEN: those without an answer. WAITING, RUNNING, DEAD: of its queues.\n"
      "Examples:\n"
      "  meshwork top -m shop\n"
      "  meshwork top -m shop -n 1 --json                   one line, after one interval\n"
      "Where members hold a schema it has to let this role see: {\"meshwork\": {\"_allow\": [ROLE], ...}}.");
  c->callback([o, &exit_code] { exit_code = top(*o); });
}

void add_options(CLI::App& app, int& exit_code) {
  struct Options {
    std::string kind;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("options", "list every option of the library: key, type, default, meaning");
  c->add_option("kind", o->kind, "ctx, provider, consumer, sub, service, call, hub, channel, share, elect, node or manager (all)")
      ->check(CLI::IsMember({"ctx", "provider", "consumer", "sub", "service", "call", "hub", "channel", "share", "elect", "node", "manager"}));
  c->add_flag("--json", o->json, "one JSON object a line");
  c->footer("(live): may be changed while running. (secret): never shown. Set one with -o KEY=VALUE.");
  c->callback([o, &exit_code] { exit_code = list_options(o->kind, o->json); });
}

void add_doctor(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* c = app.add_subcommand("doctor", "check this machine: versions, limits, TLS with itself, bindings");
  c->add_flag("--json", *json, "one JSON object a line");
  c->footer(
      "ok: as it should be; note: nothing wrong, good to know; warning: works, with a limit you may meet;\n"
      "failed: does not work here. Bindings are looked for from the current folder, as your program would.\n"
      "Exit code 1 when something failed.");
  c->callback([json, &exit_code] { exit_code = doctor(*json); });
}

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t k = 0; k < b.size(); ++k)
      diagonal = std::exchange(row[k + 1], std::min({row[k + 1] + 1, row[k] + 1, diagonal + (a[i] == b[k] ? 0 : 1)}));
  }
  return row.back();
}

// The option or command that was probably meant, or "".
std::string nearest(const CLI::App& app, std::string_view word) {
  word = word.substr(0, word.find('='));
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  auto offer = [&](const std::string& name) {
    if (const size_t d = distance(word, name); d < least) least = d, best = name;
  };
  if (word.starts_with("-")) {
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) offer("--" + name);
  } else {
    for (const CLI::App* command : app.get_subcommands(nullptr)) offer(command->get_name());
  }
  return best;
}

int wrong_usage(const CLI::App& app, const CLI::ParseError& e) {
  const CLI::App* command = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::vector<std::string> unknown = command->remaining();
  const bool no_command = command == &app && !unknown.empty() && !unknown.front().starts_with("-");
  std::fprintf(stderr, "meshwork: %s\n", no_command ? ("there is no command " + unknown.front()).c_str() : e.what());
  for (const std::string& word : unknown)
    if (const std::string best = nearest(*command, word); !best.empty())
      std::fprintf(stderr, "  %s: did you mean %s?\n", word.c_str(), best.c_str());
  std::fprintf(stderr, "  `%s --help` tells more\n", command == &app ? "meshwork" : ("meshwork " + command->get_name()).c_str());
  return kUsage;
}

}  // namespace

int run_command(std::vector<std::string> words) {
  CLI::App app("meshwork: messages between processes and machines, over WebSocket and TLS", "meshwork");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  int exit_code = kOk;
  add_provide(app, exit_code);
  add_consume(app, exit_code);
  add_hub(app, exit_code);
  add_ctl(app, exit_code);
  add_emit(app, exit_code);
  add_listen(app, exit_code);
  add_node(app, exit_code);
  add_call(app, exit_code);
  add_serve(app, exit_code);
  add_publish(app, exit_code);
  add_members(app, exit_code);
  add_top(app, exit_code);
  add_manager(app, exit_code);
  add_bench(app, exit_code);
  add_options(app, exit_code);
  add_doctor(app, exit_code);
  app.add_subcommand("version", "print the versions of program and library")->callback([] {
    const uint32_t v = mw_version();
    std::printf("meshwork %d.%d.%d, library %u.%u.%u\n", MW_VERSION_MAJOR, MW_VERSION_MINOR, MW_VERSION_PATCH, v >> 16,
                v >> 8 & 255, v & 255);
  });
  app.set_version_flag("--version", std::string("meshwork ") + std::to_string(MW_VERSION_MAJOR) + "." +
                                        std::to_string(MW_VERSION_MINOR) + "." + std::to_string(MW_VERSION_PATCH));
  app.footer(
      "Exit codes: 0 done, or drained after Ctrl-C; 1 failed; 2 wrong usage; 3 could not listen or\n"
      "connect; 4 refused by the other end; 5 TLS; 130 second Ctrl-C.");
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(std::move(words));               // runs the command
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& e) {
    return wrong_usage(app, e);
  }
  return exit_code;
}

}  // namespace cli
