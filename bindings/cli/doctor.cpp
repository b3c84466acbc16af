// `meshwork doctor`: looks at what the library needs of this machine, speaks
// TLS with itself, looks for the bindings, and says what to do about what
// lacks. One thread; hides OpenSSL, which makes the throwaway certificate.
#include "json.hpp"
#include "program.hpp"
#include "terminal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cli {

namespace {

enum class Verdict { ok, note, warning, failed };
constexpr const char* kVerdicts[] = {"ok", "note", "warning", "failed"};

class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  // advice: what to do about it; "" where there is nothing to do.
  void say(Verdict verdict, const std::string& check, const std::string& found, const std::string& advice = {}) {
    ++count_[static_cast<int>(verdict)];
    const std::string word = kVerdicts[static_cast<int>(verdict)];
    if (json_)
      return out_.line("{\"verdict\":\"" + word + "\",\"check\":" + json_text(check) + ",\"found\":" + json_text(found) +
                       ",\"advice\":" + json_text(advice) + "}");
    std::string line = word;
    line.resize(9, ' ');
    line += check;
    line.resize(std::max<size_t>(line.size() + 1, 28), ' ');
    out_.line(line + found);
    if (!advice.empty()) out_.line(std::string(28, ' ') + "-> " + advice);
  }
  int end() {
    const int failed = count_[static_cast<int>(Verdict::failed)], warnings = count_[static_cast<int>(Verdict::warning)];
    if (!json_)
      out_.line(failed > 0 ? std::to_string(failed) + " failed: meshwork does not work here until that is cured"
                           : "meshwork works here" + (warnings > 0 ? ", with " + std::to_string(warnings) + " warnings" : ""));
    out_.flush_all();
    return failed > 0 ? kFailed : kOk;
  }

 private:
  bool json_;
  int count_[4] = {};
  Output out_;
};

std::string version_text(uint32_t v) {
  return std::to_string(v >> 16) + "." + std::to_string(v >> 8 & 255) + "." + std::to_string(v & 255);
}

void versions(Report& report) {
  const std::string program = version_text(MW_VERSION_MAJOR << 16 | MW_VERSION_MINOR << 8 | MW_VERSION_PATCH);
  const std::string library = version_text(mw_version());
  Dl_info where{};
  dladdr(reinterpret_cast<void*>(&mw_version), &where);
  const std::string found = library + ", " + (where.dli_fname != nullptr ? where.dli_fname : "?");
  if (library == program) report.say(Verdict::ok, "library", found);
  else
    report.say(Verdict::warning, "library", found + ", but the program is " + program,
               "two installations are mixed: see LD_LIBRARY_PATH and `ldconfig -p | grep meshwork`");
  utsname os{};
  uname(&os);
  report.say(Verdict::ok, "system", std::string(os.sysname) + " " + os.release + " " + os.machine + ", glibc " + gnu_get_libc_version());
  report.say(Verdict::ok, "OpenSSL", OpenSSL_version(OPENSSL_VERSION));
}

int number_in(const char* path) {
  int n = -1;
  std::ifstream(path) >> n;
  return n;
}

void limits(Report& report) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  auto text = [](rlim_t n) { return n == RLIM_INFINITY ? std::string("unlimited") : std::to_string(n); };
  const bool few = files.rlim_cur < 4096;
  report.say(few ? Verdict::warning : Verdict::ok, "descriptors",
             text(files.rlim_cur) + " a process, of at most " + text(files.rlim_max) + "; a connection takes one",
             few ? "`ulimit -n " + text(files.rlim_max) + "`, or LimitNOFILE= of the systemd unit, for many connections" : "");
  const int backlog = number_in("/proc/sys/net/core/somaxconn");
  report.say(backlog < 1024 ? Verdict::warning : Verdict::ok, "accept queue", std::to_string(backlog) + " connections wait at most",
             backlog < 1024 ? "`sysctl net.core.somaxconn=4096`: many arriving at once are refused or delayed otherwise" : "");
}

// Where private sockets of this user may live.
void runtime_directory(Report& report) {
  const char* path = std::getenv("XDG_RUNTIME_DIR");
  if (path == nullptr || *path == 0)
    return report.say(Verdict::note, "runtime directory", "XDG_RUNTIME_DIR is not set",
                      "for unix sockets name a folder only you may enter (mode 0700): listen=unix:/path/name.sock");
  struct stat s{};
  if (stat(path, &s) != 0) return report.say(Verdict::warning, "runtime directory", std::string(path) + ": " + std::strerror(errno));
  if (!S_ISDIR(s.st_mode) || s.st_uid != geteuid() || (s.st_mode & 077) != 0)
    return report.say(Verdict::warning, "runtime directory", std::string(path) + " is not a folder of yours alone",
                      "others could stand in for your unix sockets: chmod 0700, or name another folder");
  report.say(Verdict::ok, "runtime directory", path);
}

// The authorities a consumer believes unless tls.ca_file names others.
void authorities(Report& report) {
  auto chosen = [](const char* variable, const char* otherwise) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value != nullptr && *value != 0 ? value : otherwise);
  };
  std::error_code ignored;
  const auto file = chosen(X509_get_default_cert_file_env(), X509_get_default_cert_file());
  const auto dir = chosen(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  if (std::filesystem::exists(file, ignored)) return report.say(Verdict::ok, "authorities", file.string());
  if (std::filesystem::is_directory(dir, ignored) && !std::filesystem::is_empty(dir, ignored))
    return report.say(Verdict::ok, "authorities", dir.string());
  report.say(Verdict::warning, "authorities", "none in " + file.string() + " or " + dir.string(),
             "install the package ca-certificates, or name your own authority: tls.ca_file");
}

// ---- TLS with oneself -------------------------------------------------------

struct Pair {
  std::string key, certificate;  // PEM
};

std::string pem(BIO* bio) {
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(n)};
}

// A P-256 key and its certificate for 127.0.0.1, good for an hour.
Pair throwaway() {
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
  using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate x(X509_new(), X509_free);
  const Memory key_text(BIO_new(BIO_s_mem()), BIO_free), x_text(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || !x || !key_text || !x_text) throw Failure(kTls, "OpenSSL cannot make a P-256 key");
  X509_set_version(x.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
  X509_NAME* name = X509_get_subject_name(x.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("meshwork doctor"), -1, -1, 0);
  X509_set_issuer_name(x.get(), name);
  X509_set_pubkey(x.get(), key.get());
  X509_EXTENSION* address = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  const bool made = address != nullptr && X509_add_ext(x.get(), address, -1) == 1 && X509_sign(x.get(), key.get(), EVP_sha256()) > 0 &&
                    PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
                    PEM_write_bio_X509(x_text.get(), x.get()) == 1;
  X509_EXTENSION_free(address);
  if (!made) throw Failure(kTls, "OpenSSL cannot make a certificate");
  return {pem(key_text.get()), pem(x_text.get())};
}

// A provider with TLS and a parameter, a consumer that checks both, a message
// there and back.
void self_connection(Report& report) {
  constexpr auto kLimit = std::chrono::seconds(10);
  constexpr const char* kParameters = R"({"key":"doctor"})";
  const auto began = Clock::now();
  try {
    const Pair tls = throwaway();
    mw::Context ctx({{"threads", 0}});
    mw::Provider provider(ctx, {{"host", "127.0.0.1"}, {"port", 0}, {"tls.key", tls.key}, {"tls.cert", tls.certificate}, {"auth.parameters", kParameters}});
    provider.on_message([](mw::Peer peer, const mw::Event& e) { peer.send(e.text()); });
    std::string failure, heard;
    bool up = false;
    auto check = [&](mw_status s, const mw::Event& e) {
      if (s < 0) failure = field(e.text(), "text").value_or(mw_status_text(s)) + " (" + mw_status_name(s) + ")";
      else up = true;
    };
    auto until = [&](const auto& done) {
      while (!done() && failure.empty()) {
        if (Clock::now() - began > kLimit) failure = "nothing came back within 10 seconds";
        ctx.run(100);
      }
    };
    provider.start(check);
    until([&] { return up; });
    if (!failure.empty()) throw Failure(kUnreachable, failure);
    const std::string url = first_text(field(provider.handle().info("address"), "address").value_or(""));
    mw::Consumer consumer(ctx, {{"url", url}, {"tls.ca", tls.certificate}, {"parameters", kParameters}});
    consumer.on_up([&] { consumer.send("are you well?"); });
    consumer.on_message([&](std::string_view text) {
      heard = text;
      ctx.wake();
    });
    consumer.start(check);
    until([&] { return !heard.empty(); });
    if (!failure.empty()) throw Failure(kUnreachable, failure);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
    report.say(Verdict::ok, "self-connection", "TLS, parameters checked, a message there and back: " + std::to_string(took / 1000) + " ms in all");
  } catch (const std::exception& e) {
    report.say(Verdict::failed, "self-connection", e.what(), "a firewall or sandbox on 127.0.0.1, or an OpenSSL configuration that forbids P-256 or TLS 1.3?");
  }
}

// ---- Bindings -----------------------------------------------------------------

struct Output_of {
  int code;
  std::string text;  // first line of both outputs
};

// Of a command written here, ten seconds at most.
Output_of run(const std::string& command) {
  FILE* pipe = popen(("timeout 10 " + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, std::strerror(errno)};
  std::string text;
  char part[512];
  while (const size_t n = fread(part, 1, sizeof part, pipe)) text.append(part, n);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text.substr(0, text.find('\n'))};
}

struct Binding {
  const char* name;
  const char* tool;     // its presence is asked for first
  const char* command;  // prints the version found
  const char* advice;
};
constexpr Binding kBindings[] = {
    {"C and C++", "pkg-config", "pkg-config --modversion meshwork", "set PKG_CONFIG_PATH to PREFIX/lib/pkgconfig of the installation"},
    {"Node", "node", "node -p 'require(\"meshwork\").version'", "in the folder of your program: npm install meshwork"},
    {"Python", "python3", "python3 -c 'import meshwork; print(meshwork.library_version())'", "pip install pymeshwork, in the environment of your program"},
    {"Go", "go", "go list -f '{{.Module.Path}} {{.Dir}}' meshwork", "in your module: a require and a replace for meshwork (bindings/go/README.md)"},
    {"Rust", "cargo", "cargo pkgid --offline meshwork", "in your package: a dependency on meshwork (bindings/rust/README.md)"},
};

void bindings(Report& report) {
  for (const Binding& b : kBindings) {
    if (run(std::string("sh -c 'command -v ") + b.tool + "'").code != 0) {
      report.say(Verdict::note, b.name, std::string("no ") + b.tool + " on the PATH");
      continue;
    }
    const Output_of found = run(b.command);
    if (found.code == 0) report.say(Verdict::ok, b.name, found.text);
    else report.say(Verdict::note, b.name, "not found from this folder", b.advice);
  }
}

}  // namespace

int doctor(bool json) {
  Report report(json);
  versions(report);
  limits(report);
  runtime_directory(report);
  authorities(report);
  self_connection(report);
  bindings(report);
  return report.end();
}

}  // namespace cli
