// What the commands of the program share: exit codes, their command lines as
// structs, parameters and options, and how a failure is said. Used by
// bindings/cli only; one thread.
#pragma once
#include <meshwork/meshwork.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// Documented in meshwork.1.
enum Exit : int {
  kOk = 0,           // done; or drained after Ctrl-C
  kFailed = 1,       // something went wrong while running
  kUsage = 2,        // wrong command line, option or file
  kUnreachable = 3,  // could not listen, or nobody there to connect to
  kRefused = 4,      // the other end said no
  kTls = 5,          // TLS could not be set up
  kInterrupted = 130 // second Ctrl-C
};

struct Failure : std::runtime_error {
  Failure(int code, const std::string& text) : std::runtime_error(text), exit(code) {}
  int exit;
};

// A status of the library as a failure: what happened, and what to do about it.
Failure failure(mw_status status, std::string_view detail, std::string_view where);

// The same of an event's status and body, a sentence or JSON. No advice of links and ports: where there are none.
Failure said(mw_status status, const mw::Event& e, const std::string& where);

// Why a link ended, in words: the other side's, or the library's.
std::string reason(const mw::Event& e);

// "text", or "@file" for the contents of a file, or "@@text" for "@text".
std::string value_of(std::string_view given);

// {"k":"v",...} of k=v words.
std::string params_json(const std::vector<std::string>& params);

// The JSON of a hub's configuration, its comments blanked.
std::string read_config(const std::string& file);

// Sets key=value words on the object's options, or else on the context's.
void apply(const std::vector<std::string>& sets, mw::Conf& object, mw::Conf& context);

// "4MiB" or "65536" as bytes.
size_t size_of(std::string_view text);

// ---- The commands, and what their command lines say (see commands.cpp) --------

// What every command that opens something takes.
struct Common {
  std::vector<std::string> params;  // k=v
  std::vector<std::string> sets;    // key=value of options.def
  bool json = false, quiet = false, verbose = false;
};

struct ProvideOptions {
  Common common;
  std::string host = "127.0.0.1", path, tls_key, tls_cert, file = "-", topic;
  int port = 8080, wait = -1;
  double rate = 0;
  bool echo = false, exit = false, drop = false, stamp = false, no_input = false;
};

struct ConsumeOptions {
  Common common;
  std::string target, ca, cert, key, wire, file = "-";
  std::vector<std::string> topics, sends;
  uint64_t count = 0;
  double timeout = 0;
  bool insecure = false, tls = false, retry = false, once = false, exit = false, stats = false, no_input = false;
};

struct BenchOptions {
  Common common;
  std::string target, ca, wire = "raw", tls_key, tls_cert;
  int connections = 1, in_flight = 1;
  size_t size = 20;
  double seconds = 5;
  bool insecure = false, spin = false;
};

struct HubOptions {
  Common common;
  std::string config;
};

struct CtlOptions {
  Common common;
  std::string dir;
  std::vector<std::string> words;  // one command; none: a prompt
  double wait = 1;
};

struct EmitOptions {
  Common common;
  std::string channel, event, body;
};

struct ListenOptions {
  Common common;
  std::string channel, pattern = ".*";
  uint64_t count = 0;
};

// What every command of a mesh takes.
struct MeshOptions {
  Common common;
  std::string mesh, name, role = "meshwork-cli";
  std::vector<std::string> seeds;  // host:port; none: the processes of this user on this host
};

struct NodeOptions {
  MeshOptions mesh;
  std::vector<std::string> patterns;  // of events to print
};

struct CallCommand {
  MeshOptions mesh;
  std::string target, body, file, key;
  std::vector<std::string> how;  // key=value of a call's options
  double timeout = 0, wait = 0;
  bool all = false, stream = false;
};

struct ServeOptions {
  MeshOptions mesh;
  std::string service, command;
  std::vector<std::string> sets;  // key=value of a service's options
  int jobs = 4;
};

struct PublishOptions {
  MeshOptions mesh;
  std::string topic, body;
};

struct MembersOptions {
  MeshOptions mesh;
  bool watch = false;
};

struct TopOptions {
  MeshOptions mesh;
  double interval = 2;
  uint64_t count = 0;
};

struct ManagerOptions {
  Common common;
  std::string mesh, host = "127.0.0.1";
  int port = 0;
};

// Each answers with an exit code, or throws Failure or mw::Error.
int provide(const ProvideOptions& options);
int consume(const ConsumeOptions& options);
int bench(const BenchOptions& options);
int hub(const HubOptions& options);
int ctl(const CtlOptions& options);
int emit(const EmitOptions& options);
int listen(const ListenOptions& options);
int node(const NodeOptions& options);
int call(const CallCommand& options);
int serve(const ServeOptions& options);
int members(const MembersOptions& options);
int top(const TopOptions& options);
int manager(const ManagerOptions& options);
int publish(const PublishOptions& options);
int list_options(const std::string& kind, bool json);
int doctor(bool json);

}  // namespace cli
