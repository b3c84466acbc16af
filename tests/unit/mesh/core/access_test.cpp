#include "mesh/core/access.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

// As in the README of the seed, with what it means mended.
constexpr const char* kSchema = R"({
  "NodeA": {
    "_allow": "anyNode",
    "_connect": ["NodeB"],
    "_commands": {
      "_balanced": {"sample": {}, "later": null},
      "_broadcast": {"all": {"responds": true, "method": null}, "work": {"queued": true}}
    }
  },
  "NodeB": {
    "_allow": ["NodeA"],
    "_connect": ["NodeA"],
    "_commands": {"_balanced": {"status": true}}
  },
  "NodeC": {"_connect": "anyNode"}
})";

Access schema(std::string_view json, std::vector<std::string>* warnings = nullptr, bool any_case = false) {
  std::vector<std::string> mine;
  auto a = Access::parse(json, any_case, warnings != nullptr ? *warnings : mine);
  EXPECT_TRUE(a) << a.error().text;
  return std::move(*a);
}
std::string error(std::string_view json, bool any_case = false) {
  std::vector<std::string> warnings;
  auto a = Access::parse(json, any_case, warnings);
  EXPECT_FALSE(a);
  EXPECT_EQ(a.error().code, MW_EINVAL);
  return a.error().text;
}

TEST(Access, Questions) {
  const Access a = schema(kSchema);
  EXPECT_TRUE(a.may_connect("NodeA", "NodeB"));
  EXPECT_TRUE(a.may_connect("NodeB", "NodeA"));
  EXPECT_TRUE(a.may_connect("NodeC", "NodeA"));
  auto no = a.may_connect("NodeC", "NodeB");
  EXPECT_EQ(no.is, Access::Is::denied);
  EXPECT_EQ(no.text, "access: NodeB._allow does not list \"NodeC\"");
  no = a.may_connect("NodeA", "NodeC");
  EXPECT_EQ(no.is, Access::Is::denied);
  EXPECT_EQ(no.text, "access: NodeA._connect does not list \"NodeC\"");
  EXPECT_TRUE(a.may_link("NodeA", "NodeC"));  // for the other direction
  EXPECT_FALSE(a.may_link("NodeB", "NodeC"));
  EXPECT_FALSE(a.may_connect("NodeA", "NodeA"));
  EXPECT_EQ(a.may_connect("NodeA", "NodeX").is, Access::Is::no_role);
  EXPECT_EQ(a.may_connect("NodeX", "NodeA").is, Access::Is::denied);
  EXPECT_EQ(a.may_connect("NodeX", "NodeA").text, "access has no role \"NodeX\"");
}

TEST(Access, Methods) {
  const Access a = schema(kSchema);
  auto yes = a.may_call("NodeB", "NodeA.sample");
  ASSERT_TRUE(yes);
  EXPECT_EQ(yes.method->mode, Mode::balanced);
  EXPECT_TRUE(yes.method->responds);
  EXPECT_FALSE(yes.method->queued);
  EXPECT_TRUE(a.may_call("NodeB", "NodeA.later"));
  yes = a.may_call("NodeC", "NodeA.all");
  ASSERT_TRUE(yes);
  EXPECT_EQ(yes.method->mode, Mode::broadcast);
  EXPECT_TRUE(yes.method->responds);
  yes = a.may_call("NodeC", "NodeA.work");
  ASSERT_TRUE(yes);
  EXPECT_FALSE(yes.method->responds);
  EXPECT_TRUE(yes.method->queued);
  EXPECT_EQ(a.may_call("NodeB", "NodeA.nothing").is, Access::Is::no_method);
  EXPECT_EQ(a.may_call("NodeB", "NodeA").is, Access::Is::no_method);
  EXPECT_EQ(a.may_call("NodeC", "NodeB.status").is, Access::Is::denied);
}

TEST(Access, AnyCase) {
  // The seed's sample writes NodeB and nodeB for the same.
  const char* json = R"({"NodeA": {"_connect": ["nodeB"]}, "NodeB": {"_allow": ["nodea"], "_commands": {"_balanced": {"m": null}}}})";
  std::vector<std::string> warnings;
  const Access loose = schema(json, &warnings, true);
  EXPECT_TRUE(loose.may_call("nodea", "NODEB.m"));
  EXPECT_TRUE(warnings.empty());
  const Access strict = schema(json, &warnings);
  EXPECT_FALSE(strict.may_call("NodeA", "NodeB.m"));
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_EQ(warnings[0], "access at NodeA._connect[0]: there is no role \"nodeB\", only \"NodeB\"");
  EXPECT_EQ(warnings[1], "access at NodeB._allow[0]: there is no role \"nodea\", only \"NodeA\"");
  EXPECT_EQ(warnings[2],
            "access at NodeB._commands: nobody may call them, no role that _allow lists has \"NodeB\" in its _connect");
  EXPECT_NE(error(R"({"a": {}, "A": {}})", true).find("at A: this role is there twice"), std::string::npos);
}

TEST(Access, Warnings) {
  std::vector<std::string> warnings;
  schema(kSchema, &warnings);
  EXPECT_TRUE(warnings.empty());
  schema(R"({"A": {"_connect": ["B"]}, "B": {"_allow": []}})", &warnings);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "access at A._connect[0]: B._allow does not list \"A\"");
  warnings.clear();
  std::string many = R"({"A": {"_connect": [")";
  for (int i = 0; i < 300; i++) many += "x" + std::to_string(i) + "\", \"";
  schema(many + "y\"]}}", &warnings);
  EXPECT_EQ(warnings.size(), 100u);
}

TEST(Access, RefusesWithThePlace) {
  const std::pair<const char*, const char*> rows[] = {
    {"[]", "access: the schema is an object"},
    {"{\"A\": 1}", "access at A: a role is an object"},
    {"{\"\": {}}", "access: a name has"},
    {"{\"a.b\": {}}", "access at a.b: a name has 1 to 255 bytes and no dot"},
    {"{\"anyNode\": {}}", "access at anyNode: no role may have this name"},
    {"{\"A\": {\"allow\": []}}", "access at A.allow: unknown key"},
    {"{\"A\": {\"_allow\": \"B\"}}", "access at A._allow: this is \"anyNode\" or a list"},
    {"{\"A\": {\"_allow\": [1]}}", "access at A._allow[0]: a role's name is a text"},
    {"{\"A\": {\"_connect\": [\"B\", \"anyNode\"]}}", "access at A._connect[1]: \"anyNode\" stands alone"},
    {"{\"A\": {\"_commands\": []}}", "access at A._commands: this is an object"},
    {"{\"A\": {\"_commands\": {\"balanced\": {}}}}", "access at A._commands.balanced: unknown key"},
    {"{\"A\": {\"_commands\": {\"_balanced\": []}}}", "access at A._commands._balanced: this is an object"},
    {"{\"A\": {\"_commands\": {\"_balanced\": {\"m\": 3}}}}", "access at A._commands._balanced.m: a method is null"},
    {"{\"A\": {\"_commands\": {\"_balanced\": {\"m\": {\"respond\": true}}}}}", "access at A._commands._balanced.m.respond: unknown key"},
    {"{\"A\": {\"_commands\": {\"_balanced\": {\"m\": {\"responds\": false}}}}}", "a balanced method always responds"},
    {"{\"A\": {\"_commands\": {\"_broadcast\": {\"m\": {\"queued\": 1}}}}}", "m.queued: this is true or false"},
    {"{\"A\": {\"_commands\": {\"_balanced\": {\"m\": {}}, \"_broadcast\": {\"m\": {}}}}}",
     "access at A._commands._broadcast.m: a method is either balanced or broadcast"},
    {"{\"A\": {}", "access: "},
    {"{\"A\": {}, \"A\": {}}", "twice"},
  };
  for (const auto& [json, text] : rows) EXPECT_NE(error(json).find(text), std::string::npos) << json << " said " << error(json);
  std::string many = "{";
  for (int i = 0; i < 1025; i++) many += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\":{}";
  EXPECT_NE(error(many + "}").find("more than 1024 roles"), std::string::npos);
}

TEST(Access, DigestsAreEqualWhereTwoMeanTheSame) {
  std::vector<std::string> warnings;
  auto digest = [&](const char* json, bool any_case = false) { return Access::parse(json, any_case, warnings)->digest(); };
  const uint64_t one = digest(R"({"A":{"_connect":["B","C"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{},"y":{}}}}})");
  EXPECT_EQ(one, digest(R"({"B":{"_commands":{"_balanced":{"y":null,"x":true}},"_allow":["A","A"]},"A":{"_connect":["C","B"],"_allow":[]}})"));
  EXPECT_NE(one, digest(R"({"A":{"_connect":["B","C"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{},"y":{}}}}})", true));
  const char* mixed = R"({"a":{"_connect":["b","B","c"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{}}}}})";
  const char* small = R"({"A":{"_connect":["C","b"]},"b":{"_allow":["a"],"_commands":{"_balanced":{"x":{}}}}})";
  EXPECT_EQ(digest(mixed, true), digest(small, true));
  EXPECT_NE(digest(mixed), digest(small));
  EXPECT_NE(digest(small, true), digest(R"({"A":{"_connect":["C","b"]},"b":{"_allow":["a"],"_commands":{"_balanced":{"X":{}}}}})", true));
  for (const char* other : {R"({"A":{"_connect":["B"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{},"y":{}}}}})",
                            R"({"A":{"_connect":["B","C"]},"B":{"_allow":"anyNode","_commands":{"_balanced":{"x":{},"y":{}}}}})",
                            R"({"A":{"_allow":["B","C"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{},"y":{}}}}})",
                            R"({"A":{"_connect":["B","C"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{},"y":{"queued":true}}}}})",
                            R"({"A":{"_connect":["B","C"]},"B":{"_allow":["A"],"_commands":{"_balanced":{"x":{}},"_broadcast":{"y":{}}}}})", "{}"})
    EXPECT_NE(one, digest(other)) << other;
}

}  // namespace
}  // namespace mw::mesh::core
