#include "screen.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <sys/ioctl.h>
#include <unistd.h>

namespace cli {

namespace {

bool begins(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }  // a character of UTF-8

size_t width(std::string_view text) { return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins)); }

// What of a line fits; control characters, which a peer may have named itself with, do not count as text.
std::string clipped(std::string_view line, size_t columns) {
  std::string out;
  for (char c : line) {
    if (begins(c) && columns-- == 0) break;
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return out;
}

}  // namespace

std::vector<std::string> table(const std::vector<Row>& rows, size_t first_number) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      if (i + 1 < row.size() || row.size() >= rows.front().size()) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - std::min(widths[i], width(row[i])), ' ');
      const bool number = i >= first_number && row.size() >= rows.front().size();
      line += (i > 0 ? "  " : "") + (number ? pad + row[i] : row[i] + pad);
    }
    while (line.ends_with(' ')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::string clock_time(std::string_view ms) {
  if (ms.empty()) return {};
  const std::time_t at = static_cast<std::time_t>(std::strtoll(std::string(ms).c_str(), nullptr, 10) / 1000), now = std::time(nullptr);
  std::tm then{}, today{};
  localtime_r(&at, &then);
  localtime_r(&now, &today);
  const bool same = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
  char text[32];
  return {text, std::strftime(text, sizeof text, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &then)};
}

Screen::Screen(Output& out, Remarks& remarks) : out_(out), remarks_(remarks), terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Screen::show(std::vector<std::string> lines) {
  if (!terminal_) {
    if (std::exchange(drawn_, true)) out_.line("");
    for (const std::string& line : lines) out_.line(line);
    return;
  }
  lines_ = std::move(lines);
  if (!drawn_) {
    remarks_.hold([this] { draw(); });
    out_.on_drained([this] {
      if (stale_) draw();
    });
  }
  draw();
}

void Screen::draw() {
  stale_ = out_.pending() > 0;
  if (stale_) return;  // a terminal that is slower than we are gets the last one, when it has taken this one
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  std::vector<std::string> lines = lines_;
  if (const std::string remark = remarks_.last(); !remark.empty()) {
    lines.resize(std::min<size_t>(lines.size(), size.ws_row > 2 ? size.ws_row - 2 : 0));
    lines.insert(lines.end(), {"", remark});
  }
  std::string page = std::exchange(drawn_, true) ? "\033[H" : "\033[?1049h\033[?25l\033[H";
  for (size_t i = 0; i < std::min<size_t>(lines.size(), size.ws_row); ++i)
    page += (i > 0 ? "\r\n" : "") + clipped(lines[i], size.ws_col) + "\033[K";
  out_.raw(page + "\033[J");
}

void Screen::restore() {
  out_.on_drained(nullptr);
  if (terminal_ && std::exchange(drawn_, false)) {
    out_.raw("\033[?25h\033[?1049l");
    out_.flush();
  }
  remarks_.release();
}

}  // namespace cli
