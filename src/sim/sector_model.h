#pragma once

// Why: the simplest thing that a disk promises, to hold a real one against. It knows of every
// 512-byte sector what a read may give: exactly one content while all is well, one of several after
// a write failed or a crash, and after that always the same one.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sheaf::sim {

// A sector's content is made of a version and its own number; version 0 is zeros.
using Version = std::uint64_t;

enum class Crash : std::uint8_t { kill, power_cut };

// A copy costs little: it shares with what it was copied from whatever neither has changed since.
class SectorModel {
  public:
    static constexpr std::uint64_t sector_size = 512;
    struct Range {  // sectors, to the one before end
        std::uint64_t first;
        std::uint64_t end;
    };

    explicit SectorModel(std::uint64_t sectors);

    // A write begins, and ends. One that failed may have reached any of its sectors.
    enum class End : std::uint8_t { done, failed };
    using WriteId = std::uint64_t;
    WriteId begin_write(Range range, Version version);
    void end_write(Range range, WriteId write, End end);

    // A read: what is remembered of its beginning tells at its end what was written meanwhile.
    using Beginning = std::vector<std::uint64_t>;
    Beginning begin_read(Range range) const;
    // Nothing where `bytes` may be there; else what is wrong with them, in words.
    std::optional<std::string> end_read(Range range, const Beginning& beginning,
                                        std::span<const std::byte> bytes);

    // A flush that began when now() was `began` has succeeded.
    std::uint64_t now() const { return now_; }
    void flushed(std::uint64_t began);
    void crashed(Crash crash);

    // What was frozen at one instant between `before` and `after`: where nothing happened in
    // between it is that, else one of what may have been there; once read it stays, come what may.
    static SectorModel frozen(const SectorModel& before, const SectorModel& after);

    // The content of one sector.
    static void fill(std::span<std::byte> sector, std::uint64_t number, Version version);

  private:
    struct Candidate {
        WriteId write;
        Version version;
        std::uint64_t done;  // when its write ended well; 0 long ago, never: not yet, or not well
    };
    struct Sector {
        std::optional<WriteId> live = 0;  // whose content a read gives, where that is certain
        // The write that was answered last, where nothing older can be there while the host runs.
        std::optional<WriteId> answered;
        std::vector<Candidate> candidates{{0, 0, 0}};  // what may be there after a crash
        std::uint64_t changes = 0;
        std::uint16_t writing = 0;
        bool contended = false;  // writes overlap: nobody knows which is last
        bool stable_once_read = false;
    };
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    static constexpr std::uint64_t sectors_per_page = 64;
    using Page = std::array<Sector, sectors_per_page>;

    const Sector& at(std::uint64_t number) const {
        return (*pages_[number / sectors_per_page])[number % sectors_per_page];
    }
    Sector& changing(std::uint64_t number);
    std::uint64_t changes_of(std::uint64_t number) const { return at(number).changes + crashes_; }
    static bool is_settled(const Sector& sector);

    static void freeze(const Sector& earlier, Sector& sector, bool quiet);
    std::optional<std::string> check(std::uint64_t number, bool quiet,
                                     std::span<const std::byte> bytes);
    std::optional<std::string> check_uncertain(std::uint64_t number, bool quiet, Version version);

    std::uint64_t sectors_;
    std::vector<std::shared_ptr<Page>> pages_;  // with the copies of this model
    std::uint64_t crashes_ = 0;
    std::uint64_t now_ = 1;
    WriteId last_write_ = 0;
};

}  // namespace sheaf::sim
