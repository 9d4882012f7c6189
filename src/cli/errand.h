#pragma once

// Why: most verbs about a volume are one errand to whoever has its engine.

#include "cli/pool_verb.h"
#include "cli/progress.h"
#include "storage/pool/progress.h"

namespace sheaf::cli {

// Work of the engine, shown on a terminal.
class ShownWork final : public pool::ProgressSink {
  public:
    explicit ShownWork(std::string_view doing) : doing_(doing) {}
    void progressed(const pool::ControlProgress& progress) override {
        line_.show(doing_, progress.done, progress.total);
    }

  private:
    ProgressLine line_;
    std::string_view doing_;
};

// Runs the errand for the verb on the volume of the first operand.
Result<pool::VolumeStatus> run_errand(const Verb& verb, const Arguments& arguments,
                                      pool::ControlRequest request);

// What --size or SIZE says: 4K to 16T, a multiple of 4K.
Result<std::uint64_t> parse_volume_size(const std::string& word);

// "NAME@SNAPSHOT", or a name alone; both are looked at.
struct NameAndSnapshot {
    std::string name;
    std::string snapshot;  // empty: none is named
};
Result<NameAndSnapshot> parse_name_and_snapshot(std::string_view noun, const std::string& word);

}  // namespace sheaf::cli
