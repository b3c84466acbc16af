// The command line of the program. Hides CLI11. Used by main only.
#pragma once
#include <string>
#include <vector>

namespace cli {

// Parses the words after the program's name, runs the command, answers with
// its exit code; says what is wrong with the words. Failures come through.
int run_command(std::vector<std::string> words);

}  // namespace cli
