// Tests in C++: TEST(what it does) { CHECK(...); EQUAL(a, b); }. main() is in main.cc.
#pragma once
#include <chrono>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace check {

struct Test {
  std::string name;
  std::function<void()> run;
};

struct Failure {
  std::string text;
};

std::vector<Test>& Tests();

struct Registration {
  Registration(const char* name, void (*run)()) { Tests().push_back({name, run}); }
};

template <typename A, typename B>
void Equal(const A& got, const B& wanted, const char* text, const char* file, int line) {
  if (got == wanted) return;
  std::ostringstream message;
  message << file << ":" << line << ": " << text << " is " << got << ", not " << wanted;
  throw Failure{message.str()};
}

inline void True(bool holds, const char* text, const char* file, int line) {
  if (holds) return;
  std::ostringstream message;
  message << file << ":" << line << ": not so: " << text;
  throw Failure{message.str()};
}

// Waits for a state, with a bound that no working program reaches.
inline void Eventually(const std::function<bool()>& holds, const char* text, const char* file, int line) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    True(std::chrono::steady_clock::now() < deadline, text, file, line);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                                \
  static void CHECK_JOIN(Test, __LINE__)();                                                       \
  static const check::Registration CHECK_JOIN(registration, __LINE__)(name, CHECK_JOIN(Test, __LINE__)); \
  static void CHECK_JOIN(Test, __LINE__)()
#define EQUAL(got, wanted) check::Equal((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK(condition) check::True((condition), #condition, __FILE__, __LINE__)
#define EVENTUALLY(condition) check::Eventually([&] { return (condition); }, #condition, __FILE__, __LINE__)
