// LZF with all kinds of data and streams, in exactly the memory that is theirs: for a sanitizer to watch. Ends with 0 when all
// that was compressed has become the same again.
#include "../../native/src/lzf.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace {

std::mt19937 generator(1);

size_t Below(size_t end) { return generator() % end; }

// A copy that begins and ends where its memory does.
std::unique_ptr<uint8_t[]> Exactly(const std::vector<uint8_t>& bytes) {
  auto copy = std::make_unique<uint8_t[]>(bytes.size());
  for (size_t i = 0; i < bytes.size(); i++) copy[i] = bytes[i];
  return copy;
}

std::vector<uint8_t> Data() {
  std::vector<uint8_t> bytes;
  const size_t alphabet = size_t{1} << Below(9);
  for (size_t parts = Below(20); parts > 0; parts--) {
    const size_t length = Below(Below(8) == 0 ? 9000 : 300);
    const size_t back = bytes.empty() ? 0 : 1 + Below(bytes.size());
    for (size_t i = 0; i < length; i++) {
      const bool again = back > 0 && parts % 2 == 0;
      bytes.push_back(again ? bytes[bytes.size() - back] : static_cast<uint8_t>(Below(alphabet)));
    }
  }
  return bytes;
}

void Damage(std::vector<uint8_t>* stream) {
  if (stream->empty()) return;
  for (size_t times = Below(4); times > 0; times--) {
    (*stream)[Below(stream->size())] = static_cast<uint8_t>(generator());
  }
  if (Below(2) == 0) stream->resize(Below(stream->size() + 1));
}

}  // namespace

int main() {
  lzf::Encoder encoder;
  for (int round = 0; round < 4000; round++) {
    const std::vector<uint8_t> data = Data();
    const auto source = Exactly(data);
    const size_t room = Below(2) == 0 ? Below(data.size() + 8) : data.size() + data.size() / 16 + 8;
    const auto target = std::make_unique<uint8_t[]>(room);
    const size_t length = encoder.Compress(source.get(), data.size(), target.get(), room);
    std::vector<uint8_t> stream(target.get(), target.get() + length);
    if (length > 0) {
      const auto exact = Exactly(stream);
      const auto result = std::make_unique<uint8_t[]>(data.size());
      const int64_t expanded = lzf::Decompress(exact.get(), length, result.get(), data.size());
      const bool same = expanded == static_cast<int64_t>(data.size()) &&
                        memcmp(result.get(), data.data(), data.size()) == 0;
      if (!same) {
        std::fprintf(stderr, "round %d: not the same again\n", round);
        return 1;
      }
    }
    for (int i = 0; i < 8; i++) {
      Damage(&stream);
      const auto exact = Exactly(stream);
      const size_t capacity = Below(data.size() + 40);
      const auto result = std::make_unique<uint8_t[]>(capacity);
      lzf::Decompress(exact.get(), stream.size(), result.get(), capacity);
    }
  }
  return 0;
}
