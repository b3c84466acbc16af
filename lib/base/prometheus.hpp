// The text format of Prometheus, as far as the metrics pages need it. Used by
// link and mesh. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace mw::base {

// What stands before the values of a metric.
inline void metric_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(1, ' ').append(help);
  out.append("\n# TYPE ").append(name).append(1, ' ').append(type).append(1, '\n');
}

// name{service="..."more} value; more: other labels, with their comma.
inline void metric_of_service(std::string& out, std::string_view name, std::string_view service, std::string_view more,
                              const std::string& value) {
  out.append(name).append("{service=\"");
  for (const char c : service) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  out.append(1, '"').append(more).append("} ").append(value).append(1, '\n');
}

}  // namespace mw::base
