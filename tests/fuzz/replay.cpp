// Gives every file of the folders and files named to the target, where there
// is no libFuzzer. Ends with 1 if it found none.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {
void run(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string s{std::istreambuf_iterator<char>(in), {}};
  // Exactly as large as the file: a sanitizer sees a read past its end.
  auto exact = std::make_unique<uint8_t[]>(s.size());
  std::copy(s.begin(), s.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), s.size());
}
}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; i++) {
    if (fs::is_regular_file(argv[i])) files.emplace_back(argv[i]);
    if (!fs::is_directory(argv[i])) continue;
    for (const auto& f : fs::recursive_directory_iterator(argv[i]))
      if (f.is_regular_file()) files.push_back(f.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& f : files) run(f);
  std::printf("%zu inputs replayed\n", files.size());
  return files.empty() ? 1 : 0;
}
