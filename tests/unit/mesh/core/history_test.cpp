#include "mesh/core/history.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

std::string of(const History& h, Slot slot) {
  std::string out;
  base::JsonObject o(out);
  h.put(o, slot);
  o.end();
  return out;
}

Verdict verdict(Why why) {
  Verdict v;
  v.why = why;
  v.by = "judge";
  return v;
}

TEST(History, TheLastChangeIsTheState) {
  History h;
  EXPECT_EQ(of(h, 1), "{}");
  h.up(1, "a", 7, 100);
  EXPECT_EQ(of(h, 1), R"({"state":"well","since_ms":100,"reason":"it is there","changes":[)"
                      R"({"at_ms":100,"state":"well","reason":"it is there"}]})");
  h.up(1, "a", 7, 150);  // only what it serves is new
  h.suspected(1, 200);
  const std::string now = of(h, 1);
  EXPECT_EQ(now.find(R"({"state":"suspected","since_ms":200,"reason":"it does not answer","changes":[{"at_ms":100)"), 0u) << now;
  h.well(1, 300);
  EXPECT_NE(of(h, 1).find(R"("state":"well","since_ms":300,"reason":"it answered after all")"), std::string::npos);
  h.up(1, "a", 8, 400);
  EXPECT_NE(of(h, 1).find(R"("since_ms":400,"reason":"another process has its name now")"), std::string::npos);
  EXPECT_EQ(h.went(), "[]");
}

TEST(History, WhoComesBackKeepsItsStory) {
  History h;
  h.up(1, "a", 7, 100);
  const Verdict left = verdict(Why::left);
  h.gone(1, "a", "words", &left, 200);
  EXPECT_EQ(of(h, 1), "{}");
  EXPECT_EQ(h.went().find(R"([{"name":"a","service":"words","state":"gone","since_ms":200,"reason":"it left")"), 0u) << h.went();
  EXPECT_NE(h.went().find(R"("by":"judge"})"), std::string::npos);
  h.up(2, "a", 9, 300);
  EXPECT_EQ(h.went(), "[]");
  EXPECT_NE(of(h, 2).find(R"("since_ms":300,"reason":"it came back","changes":[{"at_ms":100)"), std::string::npos) << of(h, 2);
}

TEST(History, IsBounded) {
  History h;
  h.up(1, "a", 7, 0);
  for (int i = 1; i <= 100; ++i) h.suspected(1, i);
  std::string now = of(h, 1);
  EXPECT_NE(now.find(R"("changes":[{"at_ms":93,)"), std::string::npos) << now;  // the last 8
  const Verdict closed = verdict(Why::closed), left = verdict(Why::left);
  h.gone(3, "killed", "", &closed, 0);
  h.gone(4, "lost", "", nullptr, 0);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "m" + std::to_string(i);
    h.up(2, name, 1, i);
    h.gone(2, name, "", &left, i);
  }
  const std::string went = h.went();
  EXPECT_EQ(went.find(R"([{"name":"m99")"), 0u);
  EXPECT_NE(went.find(R"("name":"m38")"), std::string::npos);
  EXPECT_EQ(went.find(R"("name":"m37")"), std::string::npos);  // 62 of them, and the two that did not just leave
  EXPECT_NE(went.find(R"("name":"killed","service":"","state":"gone","since_ms":0,"reason":"it closed its links")"), std::string::npos);
  EXPECT_NE(went.find(R"("reason":"this node slept too long to know")"), std::string::npos);
  for (int i = 0; i < 100; ++i) h.gone(5, "k" + std::to_string(i), "", &closed, i);
  EXPECT_EQ(h.went().find(R"("name":"k35")"), std::string::npos);
  EXPECT_NE(h.went().find(R"("name":"k36")"), std::string::npos);
}

}  // namespace
}  // namespace mw::mesh::core
