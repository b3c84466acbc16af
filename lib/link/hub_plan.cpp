#include "link/hub_plan.hpp"

#include "base/json.hpp"
#include "local/directory.hpp"

namespace mw::link {

using base::Error;

base::Result<HubPlan> hub_plan(std::string_view json) {
  auto parsed = base::Json::parse(json);
  if (!parsed) return Error{MW_EOPTION, 0, "channels: " + parsed.error().text};
  if (!parsed->root().is_object()) return Error{MW_EOPTION, 0, "channels must be an object: {\"NAME\":{...}}"};
  HubPlan plan;
  Error why{MW_OK, 0, {}};
  parsed->root().each([&](std::string_view name, base::JsonValue v) {
    const std::string at = "channels." + std::string(name);
    if (!local::name_valid(name)) {
      why = {MW_EOPTION, 0, at + ": a channel's name has 1 to 64 letters, digits, '.', '_' or '-', and no dot in front"};
      return false;
    }
    if (!v.is_object()) {
      why = {MW_EOPTION, 0, at + " must be an object, such as {} or {\"propagate\":\".*\"}"};
      return false;
    }
    ChannelPlan& p = plan[std::string(name)];
    v.each([&](std::string_view key, base::JsonValue value) {
      const std::string k = at + "." + std::string(key);
      if (key == "propagate") {
        if (value.is_bool() && !value.boolean()) return true;
        if (!value.is_text()) return why = {MW_EOPTION, 0, k + " must be false or a regular expression of names"}, false;
        auto made = base::Pattern::compile(value.text(), base::Syntax::regex);
        if (!made) return why = {MW_EOPTION, 0, k + ": " + made.error().text}, false;
        p.propagate = std::move(*made);
      } else if (key == "propagatetochannels") {  // the package's: found anywhere in the name
        if (value.is_bool() && !value.boolean()) return true;
        if (!value.is_text()) return why = {MW_EOPTION, 0, k + " must be false or a regular expression of names"}, false;
        auto plain = base::Pattern::compile(value.text(), base::Syntax::regex);
        if (!plain) return why = {MW_EOPTION, 0, k + ": " + plain.error().text}, false;
        p.propagate = std::move(*base::Pattern::compile(".*(?:" + std::string(value.text()) + ").*", base::Syntax::regex));
      } else if (key == "dump" || key == "multicast" || key == "dumptoconsole" || key == "propagatetonet") {
        if (!value.is_bool()) return why = {MW_EOPTION, 0, k + " must be true or false"}, false;
        (key == "dump" || key == "dumptoconsole" ? p.dump : p.multicast) = value.boolean();
      } else {
        return why = {MW_EOPTION, 0, k + ": no such key; there are propagate, multicast and dump"}, false;
      }
      return true;
    });
    return why.code == MW_OK;
  });
  if (why.code != MW_OK) return why;
  if (plan.empty()) return Error{MW_EOPTION, 0, "channels names no channel"};
  return plan;
}

}  // namespace mw::link
