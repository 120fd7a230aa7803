// Runs every test, or those whose name contains the argument; the last line counts them.
#include "check.h"

namespace check {

std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

}  // namespace check

int main(int count, char** arguments) {
  int passed = 0;
  int failed = 0;
  for (const auto& test : check::Tests()) {
    if (count > 1 && test.name.find(arguments[1]) == std::string::npos) continue;
    try {
      test.run();
      passed++;
      std::cout << "ok      " << test.name << std::endl;
    } catch (const check::Failure& failure) {
      failed++;
      std::cout << "FAILED  " << test.name << "\n        " << failure.text << std::endl;
    }
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}
