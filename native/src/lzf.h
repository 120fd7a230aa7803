// LZF streams (core/spec/wire.md section 4.3), byte for byte those of core/wire/lzf.ts. Nothing here knows of Node, so that a
// sanitizer can watch it alone. No stream, however broken, makes it leave the bytes that it was given.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lzf {

constexpr size_t kTableSize = 65536;
constexpr size_t kMostDistance = 8192;
constexpr size_t kMostLiterals = 32;
constexpr size_t kLeastMatch = 3;
constexpr size_t kMostMatch = 264;
// Lengths from here on take an extension byte.
constexpr size_t kLongMatch = 9;
constexpr uint8_t kLongMatchControl = 0xe0;
// The most that a match takes.
constexpr size_t kMatchBytes = 3;
// Positions are counted on from input to input, in 32 bits: what the table holds of earlier inputs counts as empty.
constexpr size_t kMostInput = size_t{1} << 30;

// How long the bytes at `at`, of which there are three at least, agree with those at `earlier`; 0 when that is no match.
inline size_t MatchLength(const uint8_t* source, size_t size, int64_t earlier, size_t at) {
  const size_t left = size - at;
  if (earlier <= 0 || at - static_cast<size_t>(earlier) > kMostDistance || left <= 4) return 0;
  const size_t most = left - 2 < kMostMatch ? left - 2 : kMostMatch;
  // The reference compares the first 16 bytes in one go.
  const size_t limit = most == 17 || most == 18 ? 19 : most;
  const uint8_t* a = source + earlier;
  const uint8_t* b = source + at;
  size_t length = 0;
  while (length + 8 <= limit && std::memcmp(a + length, b + length, 8) == 0) length += 8;
  while (length < limit && a[length] == b[length]) length++;
  return length < kLeastMatch ? 0 : length;
}

class Encoder {
 public:
  // Writes the stream of `source` to `target`: its length, or 0 when it does not fit (`target` is garbage then).
  size_t Compress(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) {
    if (size > kMostInput) return 0;
    if (base_ > static_cast<int32_t>(kMostInput - 1)) {
      std::memset(seen_, 0, sizeof(seen_));
      base_ = 0;
    }
    const int32_t base = base_;
    base_ += static_cast<int32_t>(size);
    return Encode(source, size, target, capacity, base);
  }

 private:
  size_t Encode(const uint8_t* source, size_t size, uint8_t* target, size_t capacity, int32_t base) {
    size_t at = 0;
    // The control byte of the open literal run stands at `used - run - 1`: it is reserved before it is known.
    size_t used = 1;
    size_t run = 0;
    while (at + 2 < size) {
      const int64_t earlier = Exchange(source, at, base);
      const size_t length = MatchLength(source, size, earlier, at);
      if (length == 0) {
        if (used >= capacity) return 0;
        used = Literal(source[at++], target, used, &run);
        continue;
      }
      if (used - (run == 0 ? 1 : 0) + kMatchBytes + 1 >= capacity) return 0;
      used = CloseRun(target, used, run);
      used = Match(target, used, length, at - static_cast<size_t>(earlier)) + 1;
      run = 0;
      at += length;
      if (at + 2 >= size) break;
      Exchange(source, at - 2, base);
      Exchange(source, at - 1, base);
    }
    if (used + kMatchBytes > capacity) return 0;
    while (at < size) used = Literal(source[at++], target, used, &run);
    return CloseRun(target, used, run);
  }

  // Stores `at` under the index of the three bytes there; what was stored: 0 or less for nothing of this input.
  int64_t Exchange(const uint8_t* source, size_t at, int32_t base) {
    const uint32_t first = static_cast<uint32_t>(source[at]) << 8 | source[at + 1];
    const uint32_t second = static_cast<uint32_t>(source[at + 1]) << 8 | source[at + 2];
    int32_t& place = seen_[(first - 5 * second) % kTableSize];
    const int64_t earlier = int64_t{place} - base;
    place = base + static_cast<int32_t>(at);
    return earlier;
  }

  static size_t Literal(uint8_t byte, uint8_t* target, size_t used, size_t* run) {
    target[used++] = byte;
    if (++*run < kMostLiterals) return used;
    used = CloseRun(target, used, *run) + 1;
    *run = 0;
    return used;
  }

  // Fills in the control byte of a run, or gives it back when the run is empty; the bytes used then.
  static size_t CloseRun(uint8_t* target, size_t used, size_t run) {
    if (run == 0) return used - 1;
    target[used - run - 1] = static_cast<uint8_t>(run - 1);
    return used;
  }

  static size_t Match(uint8_t* target, size_t at, size_t length, size_t distance) {
    const uint8_t high = static_cast<uint8_t>((distance - 1) >> 8);
    if (length < kLongMatch) {
      target[at++] = static_cast<uint8_t>((length - 2) << 5 | high);
    } else {
      target[at++] = kLongMatchControl | high;
      target[at++] = static_cast<uint8_t>(length - kLongMatch);
    }
    target[at++] = static_cast<uint8_t>(distance - 1);
    return at;
  }

  int32_t seen_[kTableSize] = {};
  // What position 0 of the next input is in that count.
  int32_t base_ = 0;
};

// Expands `source` into `target`: the number of bytes produced, or -1 for a stream that is not valid or passes the end
// of `target`.
inline int64_t Decompress(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) {
  size_t from = 0;
  size_t to = 0;
  while (from < size) {
    const uint8_t control = source[from++];
    if (control < kMostLiterals) {
      const size_t length = size_t{control} + 1;
      if (length > size - from || length > capacity - to) return -1;
      std::memcpy(target + to, source + from, length);
      from += length;
      to += length;
      continue;
    }
    size_t length = (control >> 5) + size_t{2};
    if (length == kLongMatch) {
      if (from >= size) return -1;
      length += source[from++];
    }
    if (from >= size) return -1;
    const size_t distance = (size_t{control & 0x1fu} << 8) + source[from++] + 1;
    if (distance > to || length > capacity - to) return -1;
    const uint8_t* earlier = target + to - distance;
    if (distance >= length) {
      std::memcpy(target + to, earlier, length);
    } else if (distance == 1) {
      std::memset(target + to, *earlier, length);
    } else {
      // A match may overlap its own output.
      for (size_t i = 0; i < length; i++) target[to + i] = earlier[i];
    }
    to += length;
  }
  return static_cast<int64_t>(to);
}

}  // namespace lzf
