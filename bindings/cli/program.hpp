// What the commands of the program share: exit codes, options that name a TLS
// file or a parameter, and how a failure is said. Used by bindings/cli only;
// one thread.
#pragma once
#include <meshwork/meshwork.hpp>

#include <CLI/CLI.hpp>

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

// Options every command that opens a connection takes.
struct Common {
  std::vector<std::string> params;  // k=v
  std::vector<std::string> sets;    // key=value of options.def
  bool json = false, quiet = false, verbose = false;
  void add_to(CLI::App& command, const char* params_help);
};

// "text", or "@file" for the contents of a file, or "@@text" for "@text".
std::string value_of(std::string_view given);

// {"k":"v",...} of k=v words.
std::string params_json(const std::vector<std::string>& params);

// Sets key=value words on the object's options, or else on the context's.
void apply(const std::vector<std::string>& sets, mw::Conf& object, mw::Conf& context);

// "4MiB" or "65536" as bytes.
size_t size_of(std::string_view text);

void add_provide(CLI::App& app, int& exit_code);
void add_consume(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_options(CLI::App& app, int& exit_code);

}  // namespace cli
