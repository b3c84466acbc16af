/* The C agent of the scenario table: carries out lines from stdin through the
 * public API, answers each with "= STATUS ..." and prints every event as
 * "! OBJECT KIND ...". ../README.md has the protocol.
 *
 *   scenario_agent run|inline|dispatch|queue|turn */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void line(char *text) {
  words w;
  if (strcmp(text, "quit") == 0) exit(0); /* with everything open that is open */
  if (!words_cut(&w, text)) {
    say("= EINVAL error=bad%%20line");
    return;
  }
  static char extra[1 << 20];
  extra[0] = 0;
  mw_status s = verb(&w, extra, sizeof extra, NULL, NULL);
  say("= %s%s", status_word(s), extra);
  words_free(&w);
}

int main(int argc, char **argv) {
  if (argc != 2 || !door_choose(argv[1])) {
    fprintf(stderr, "usage: %s run|inline|dispatch|queue|turn\n", argv[0]);
    return 2;
  }
  uint32_t v = mw_version();
  say("hello c %s %u.%u.%u", argv[1], v >> 16, v >> 8 & 255, v & 255);
  door_serve(line);
  return 0;
}
