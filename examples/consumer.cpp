// A consumer in C++: the program of consumer.c with meshwork.hpp.
//
//   consumer_cpp [url]                (ws://127.0.0.1:8080/connect)
#include <meshwork/meshwork.hpp>

#include <iostream>

int main(int argc, char** argv) try {
  mw::Context ctx({{"threads", 0}});  // handlers run inside ctx.run()
  mw::Consumer consumer(
      ctx, {{"url", argc > 1 ? argv[1] : "ws://127.0.0.1:8080/connect"},
            {"reconnect.max_attempts", 10},
            {"parameters", R"({"key":"SECRET_KEY","something1":"Some Value 1","something2":"Some Value 2"})"}});
  bool answered = false;

  consumer.on_up([&] { consumer.send("CONSUMER_READY"); });  // after every reconnect, too
  consumer.on_message([&](std::string_view text) {
    std::cout << "Provider Sent: " << text << '\n';
    answered = true;
    consumer.close();
  });
  consumer.on_down([](const mw::Event& e) {
    std::cout << "lost: " << e.text() << ", again in " << e.id() << " ms\n";
  });
  consumer.on_closed([&](const mw::Event& e) {
    if (!answered)
      std::cout << "Failed To Connect To Provider! Reason: " << e.text() << " (" << mw_status_name(e.status()) << ")\n";
    ctx.wake();
  });
  consumer.start([](mw_status s, const mw::Event&) {
    if (s >= 0) std::cout << "Successfully Connected To Provider! Ready For Work!\n";
  });

  ctx.run();  // until wake
  return answered ? 0 : 1;
} catch (const mw::Error& e) {
  std::cerr << e.what() << " (" << e.name() << ")\n";
  return 1;
}
