// A parsed request head and what was made of it.
// For the listener's own files (it shows Beast). Control thread.
#pragma once
#include "net/reception.hpp"
#include "wire/field.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace mw::net {

struct Reception::Request {
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
  wire::UpgradeRequest fields;  // views into the parser
  std::string_view path, query;
  std::shared_ptr<const Policy> policy;  // one set of rules for one decision
  wire::Parameters parameters;
  wire::Verdict verdict;

  std::string joined(std::string_view name) const {
    std::string all;
    for (auto& [k, v] : fields.fields) {
      if (!wire::same_text(k, name)) continue;
      if (!all.empty()) all += ", ";
      all += v;
    }
    return all;
  }
};

inline milliseconds limit(const base::Conf& c, base::Opt o) { return milliseconds(c.num(o)); }

}  // namespace mw::net
