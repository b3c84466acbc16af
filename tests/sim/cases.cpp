#include "cases.hpp"

#include "world.hpp"

#include <algorithm>
#include <cstdio>

namespace mw::sim {
namespace {

constexpr Network kCalm{1, 20, 0};
constexpr Network kLossy{1, 20, 50};

std::string ms(int64_t t) { return t < 0 ? "never" : std::to_string(t) + " ms"; }

void within(std::vector<Result>& out, const std::string& what, int64_t took, int64_t target) {
  out.push_back({what, "< " + ms(target), ms(took), took >= 0 && took < target});
}
void none(std::vector<Result>& out, const std::string& what, uint64_t n, const std::string& first = {}) {
  out.push_back({what, "0", std::to_string(n) + (first.empty() ? "" : ": " + first), n == 0});
}

// Everybody but the first `but` members holds i for alive, or nobody does.
bool known_by_all(World& w, size_t i) { return w.held_alive_by(i) == w.held_alive_by(0) && w.held_alive_by(i) != 0; }
bool known_by_none(World& w, size_t i) { return w.held_alive_by(i) == 0; }

void joining(uint64_t seed, Size size, std::vector<Result>& out) {
  World w(seed, kCalm);
  w.populate(size.members);
  w.run(3000);
  const size_t i = w.add();
  w.join(i, size.members / 2);
  within(out, "a join is known to all", w.run_until([&] { return known_by_all(w, i); }, 60'000), 5000);
  within(out, "the newcomer knows all", w.run_until([&] { return w.agreed(); }, 60'000), 5000);
  none(out, "false deaths", w.false_deaths(), w.first_false());
}

void dying(uint64_t seed, Size size, std::vector<Result>& out) {
  World w(seed, kCalm);
  w.populate(size.members);
  w.run(3000);
  w.kill(1);
  within(out, "a killed process is dead to all", w.run_until([&] { return known_by_none(w, 1); }, 60'000), 3000);
  w.switch_off(2);
  within(out, "a machine without power is dead to all", w.run_until([&] { return known_by_none(w, 2); }, 60'000), 10'000);
  // Neighbours in the ring that go together, so that watchers die with whom they watch.
  const std::vector<Slot> run = w.machine(3).watchers(w.slot(3));
  std::vector<size_t> off{3};
  for (size_t i = 4; i < w.size(); i++)
    if (std::find(run.begin(), run.end(), w.slot(i)) != run.end()) off.push_back(i);
  for (const size_t i : off) w.switch_off(i);
  within(out, "a member and all its watchers, at once", w.run_until([&] {
    return std::all_of(off.begin(), off.end(), [&](size_t i) { return known_by_none(w, i); });
  }, 60'000), 20'000);
  w.leave(w.size() - 1);
  within(out, "one that leaves is gone for all", w.run_until([&] { return known_by_none(w, w.size() - 1); }, 60'000), 3000);
  none(out, "false deaths", w.false_deaths(), w.first_false());
}

void traffic(uint64_t seed, Size size, std::vector<Result>& out) {
  double rates[2];
  int at = 0;
  for (const size_t n : {size_t{100}, size.members}) {
    World w(seed, kCalm);
    w.populate(n);
    w.run(5000);
    w.forget_counts();
    w.run(60'000);
    rates[at++] = w.mean_rate();
    char seen[64];
    std::snprintf(seen, sizeof seen, "%.0f B/s, busiest %.0f", w.mean_rate(), w.max_rate());
    out.push_back({"control traffic a member, in and out, " + std::to_string(n), "<= 2048 B/s", seen, w.mean_rate() <= 2048});
    none(out, "false deaths", w.false_deaths(), w.first_false());
  }
  char seen[32];
  std::snprintf(seen, sizeof seen, "%.2f", rates[1] / rates[0]);
  out.push_back({"the large mesh's over the small one's", "<= 1.5", seen, rates[1] <= 1.5 * rates[0]});
}

void stalls(uint64_t seed, Size size, std::vector<Result>& out) {
  World w(seed, kLossy);
  Random random(seed);
  w.populate(size.members);
  w.run(3000);
  w.forget_counts();
  // Each runs for 297 s on average and then stalls for 3 s: 1 % at any time.
  uint64_t stalled = 0;
  const int64_t start = w.now();
  for (const int64_t end = start + size.stall_ms; w.now() < end;) {
    if (w.now() > start && (w.now() - start) % 600'000 == 0) {  // a long run says that it lives
      std::printf("stalls     %6zu  %lld s so far, false deaths %llu\n", size.members,
                  static_cast<long long>((w.now() - start) / 1000), static_cast<unsigned long long>(w.false_deaths()));
      std::fflush(stdout);
    }
    const double mean = static_cast<double>(size.members) * 100 / 297'000;  // in 100 ms
    auto n = static_cast<uint64_t>(mean);
    n += random.below(1'000'000) < (mean - static_cast<double>(n)) * 1'000'000;
    for (; n > 0; n--) {
      w.stall(random.below(static_cast<uint32_t>(w.size())), 3000);
      stalled++;
    }
    w.run(100);
  }
  const std::string hours = std::to_string(size.stall_ms / 1000) + " s at 5 % loss, 1 % stalled";
  none(out, "false deaths in " + hours, w.false_deaths(), w.first_false());
  out.push_back({"suspicions, of " + std::to_string(stalled) + " stalls", "> 0", std::to_string(w.said(News::suspect)),
                 w.said(News::suspect) > 0});
  char seen[64];
  std::snprintf(seen, sizeof seen, "%.0f B/s", w.mean_rate());
  out.push_back({"control traffic a member meanwhile", "<= 2048 B/s", seen, w.mean_rate() <= 2048});
  within(out, "all agree again", w.run_until([&] { return w.agreed(); }, 60'000), 30'000);
}

void parting(uint64_t seed, Size size, std::vector<Result>& out) {
  const size_t n = std::min<size_t>(size.members, 2000);
  World w(seed, kCalm);
  w.populate(n);
  w.run(3000);
  w.quiet_about_deaths = true;
  for (size_t i = 0; i < n; i++) w.part(i, i % 3 == 0);
  within(out, "each part of " + std::to_string(n) + " is of one mind",
         w.run_until([&] { return w.agreed(0) && w.agreed(1); }, 300'000, 200), 60'000);
  for (size_t i = 0; i < n; i += 100) w.switch_off(i + i % 3), w.switch_off(i + 1);
  w.run(60'000);
  for (size_t i = 0; i < n; i++) w.part(i, 0);
  within(out, "healed, all are of one mind", w.run_until([&] { return w.agreed(); }, 300'000, 200), 120'000);
  w.quiet_about_deaths = false;
  w.forget_counts();
  w.run(30'000);
  none(out, "false deaths afterwards", w.false_deaths(), w.first_false());
  out.push_back({"and it stays so", "yes", w.agreed() ? "yes" : "no", w.agreed()});
}

void returning(uint64_t seed, Size size, std::vector<Result>& out) {
  World w(seed, kCalm);
  w.populate(size.members);
  w.run(3000);
  // Frozen for a minute: dead, rightly, and back without a restart.
  w.quiet_about_deaths = true;
  w.stall(1, 60'000);
  within(out, "a frozen member is dead to all", w.run_until([&] { return w.held_alive_by(1) <= 1; }, 30'000), 10'000);
  while (w.stalled(1)) w.run(10);
  within(out, "thawed, it is back for all", w.run_until([&] { return known_by_all(w, 1); }, 60'000), 5000);
  // The same name from a new address, before anybody missed the old one.
  w.switch_off(2);
  w.restart(2, 5);
  const std::string address = w.machine(2).fact(w.slot(2))->address;
  within(out, "a restart elsewhere is believed by all", w.run_until([&] {
    for (size_t i = 0; i < w.size(); i++)
      if (const Fact* f = w.machine(i).fact(w.slot(2)); f == nullptr || f->address != address || f->version.gone)
        return false;
    return true;
  }, 60'000), 5000);
  // A sleep beyond what others remember of the dead.
  w.stall(3, 700'000);
  w.run(699'000);
  w.switch_off(4);  // it will not hear of this from memory
  w.run(1000);
  within(out, "awake after 700 s, it agrees with all", w.run_until([&] { return w.agreed(); }, 60'000), 15'000);
}

void clocks(uint64_t seed, Size size, std::vector<Result>& out) {
  World w(seed, kCalm);
  w.populate(size.members);
  w.run(3000);
  auto believed = [&](size_t i) {
    return w.run_until([&] {
      const Version v = w.machine(i).fact(w.slot(i))->version;
      for (size_t k = 0; k < w.size(); k++)
        if (const Fact* f = w.machine(k).fact(w.slot(i)); f == nullptr || f->version != v || v.gone) return false;
      return true;
    }, 60'000);
  };
  w.kill(1);
  within(out, "a killed process is dead to all", w.run_until([&] { return known_by_none(w, 1); }, 60'000), 3000);
  w.restart(1, 7, true);
  within(out, "started again an hour behind, it is there for all", believed(1), 5000);
  w.switch_off(2);  // and before anybody missed it
  w.restart(2, 5, true);
  within(out, "the same before its death is known", believed(2), 5000);
  w.run(30'000);
  none(out, "false deaths", w.false_deaths(), w.first_false());
  none(out, "processes that gave way to a dead one", w.said(News::replaced));
}

void starting(uint64_t seed, Size size, std::vector<Result>& out) {
  const size_t n = std::min<size_t>(size.members, 1000);
  World w(seed, kLossy);
  for (size_t i = 0; i < n; i++) w.add();
  for (size_t i = 1; i < n; i++) w.join(i, i % std::min<size_t>(i, 3));  // three seeds
  within(out, std::to_string(n) + " started at once find each other", w.run_until([&] { return w.agreed(); }, 300'000, 200), 60'000);
  none(out, "false deaths", w.false_deaths(), w.first_false());
}

void churning(uint64_t seed, Size size, std::vector<Result>& out) {
  const size_t n = std::min<size_t>(size.members, 1000);
  World w(seed, kLossy);
  Random random(seed);
  w.populate(n);
  w.run(3000);
  w.forget_counts();
  // Every two seconds one goes, in one way or another, and one comes.
  std::vector<size_t> gone;
  for (int i = 0; i < 150; i++) {
    const size_t who = 1 + random.below(static_cast<uint32_t>(w.size() - 1));
    if (w.up(who)) {
      const uint32_t how = random.below(4);
      if (how == 0) w.kill(who);
      if (how == 1) w.switch_off(who);
      if (how == 2) w.leave(who);
      if (how == 3) w.stall(who, 20'000), w.quiet_about(who);  // long enough to be condemned, rightly
      if (how != 3) gone.push_back(who);
    }
    if (i % 2 == 0) {
      w.join(w.add(), 0);
    } else if (!gone.empty()) {
      w.restart(gone.front(), 0);
      gone.erase(gone.begin());
    }
    w.run(2000);
  }
  none(out, "false deaths in 300 s of coming and going", w.false_deaths(), w.first_false());
  char seen[64];
  std::snprintf(seen, sizeof seen, "%.0f B/s", w.mean_rate());
  out.push_back({"control traffic a member meanwhile", "<= 2048 B/s", seen, w.mean_rate() <= 2048});
  // One may still stand still for 20 s.
  within(out, "all are of one mind, no ghost stays", w.run_until([&] { return w.agreed(); }, 120'000), 40'000);
}

void deaf(uint64_t seed, Size size, std::vector<Result>& out) {
  const size_t n = std::min<size_t>(size.members, 1000);
  World w(seed, kLossy);
  w.populate(n);
  w.run(3000);
  w.forget_counts();
  w.cut_pairs(50);
  w.run(180'000);
  none(out, "false deaths in 180 s, each 20th pair cut off", w.false_deaths(), w.first_false());
  const size_t i = w.add();
  size_t door = 0;
  while (w.cut(i, door)) door++;
  w.join(i, door);
  within(out, "a join is known to all even so", w.run_until([&] { return known_by_all(w, i); }, 60'000), 15'000);
  w.switch_off(1);
  within(out, "a death is known to all even so", w.run_until([&] { return known_by_none(w, 1); }, 60'000), 20'000);
}

}  // namespace

const std::vector<Case> kCases = {
  {"join", joining}, {"death", dying}, {"traffic", traffic}, {"stalls", stalls},
  {"partition", parting}, {"return", returning}, {"clocks", clocks}, {"start", starting},
  {"churn", churning}, {"deaf", deaf},
};

}  // namespace mw::sim
