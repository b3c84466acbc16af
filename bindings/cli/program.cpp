#include "program.hpp"

#include "json.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

namespace cli {

Failure failure(mw_status status, std::string_view detail, std::string_view where) {
  // The body of a DONE is JSON, that of the other events a sentence.
  const std::string sentence = detail.starts_with("{") ? field(detail, "text").value_or("") : std::string(detail);
  std::string text = sentence.empty() ? std::string(mw_status_text(status)) : sentence;
  if (!where.empty() && text.find(where) == std::string::npos) text = std::string(where) + ": " + text;
  text += std::string(" (") + mw_status_name(status) + ")";
  auto hint = [&](const char* what) { text += std::string("\n  ") + what; };
  switch (status) {
    case MW_EADDRINUSE:
      hint("another program listens there: choose another --port, or --port 0 for any free one");
      return {kUnreachable, text};
    case MW_EREFUSED:
    case MW_EUNREACH:
    case MW_ETIMEDOUT:
      hint("is the provider running, and are host and port right? --retry keeps trying");
      return {kUnreachable, text};
    case MW_ERESOLVE:
      hint("no such host: check the spelling");
      return {kUnreachable, text};
    case MW_EAUTH:
    case MW_EDENIED:
    case MW_EEXPIRED:
      hint("the provider refused us: it wants other parameters, see --param");
      return {kRefused, text};
    case MW_ETLS:
      hint("--ca FILE names the authority to trust; --insecure skips the check (tests only)");
      return {kTls, text};
    case MW_EVERSION:
      hint("the other end does not speak meshwork's wire: for any WebSocket server use --wire raw");
      return {kRefused, text};
    case MW_EOPTION:
    case MW_EINVAL:
      hint("`meshwork options` lists every option");
      return {kUsage, text};
    case MW_EPATTERN:
      return {kUsage, text};
    default:
      return {kFailed, text};
  }
}

Failure said(mw_status s, const mw::Event& e, const std::string& where) {
  std::string text(e.text());
  if (text.starts_with("{")) text = field(text, "text").value_or(field(text, "message").value_or(""));
  if (text.empty()) text = mw_status_text(s);
  int exit = kFailed;
  switch (s) {
    case MW_EADDRINUSE:
    case MW_ENOSERVICE:
    case MW_ENOMETHOD:
    case MW_ENOPEER:
    case MW_EVERSION:
    case MW_EPEERGONE:
      exit = kUnreachable;
      break;
    case MW_EDENIED:
      exit = kRefused;
      break;
    case MW_EOPTION:
      exit = kUsage;
      break;
    default:
      break;
  }
  return {exit, where + ": " + text + " (" + mw_status_name(s) + ")"};
}

std::string reason(const mw::Event& e) {
  if (!e.text().empty()) return std::string(e.text());
  return e.status() < 0 ? mw_status_text(e.status()) : "closed by the other side";
}

std::string value_of(std::string_view given) {
  if (given.empty() || given[0] != '@') return std::string(given);
  given.remove_prefix(1);
  if (!given.empty() && given[0] == '@') return std::string(given);
  std::ifstream file{std::string(given), std::ios::binary};
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    throw Failure(kUsage, "cannot read " + std::string(given) + ", named by @");
  std::string value = std::move(text).str();
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  return value;
}

namespace {
// Words are never repeated in a message: they may hold secrets.
std::pair<std::string_view, std::string_view> split(std::string_view word, const char* option) {
  const size_t eq = word.find('=');
  if (eq == std::string_view::npos || eq == 0)
    throw Failure(kUsage, std::string(option) + " wants a name, '=' and a value");
  return {word.substr(0, eq), word.substr(eq + 1)};
}
}  // namespace

std::string params_json(const std::vector<std::string>& params) {
  std::string out = "{";
  for (const std::string& word : params) {
    const auto [key, value] = split(word, "--param");
    if (out.size() > 1) out += ',';
    out += json_text(key) + ':' + json_text(value_of(value));
  }
  return out + '}';
}

void apply(const std::vector<std::string>& sets, mw::Conf& object, mw::Conf& context) {
  for (const std::string& word : sets) {
    const auto [key, value] = split(word, "-o");
    try {
      object.set(key, value_of(value));
    } catch (const mw::Error& wrong) {
      try {
        context.set(key, value_of(value));
      } catch (const mw::Error&) {
        throw wrong;  // the object's answer names the nearest key
      }
    }
  }
}

size_t size_of(std::string_view text) {
  size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc()) return 0;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit == "KiB") return n << 10;
  if (unit == "MiB") return n << 20;
  if (unit == "GiB") return n << 30;
  return n;
}

}  // namespace cli
