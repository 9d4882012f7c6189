#pragma once

// Why: on a terminal, long work shows that it gets on; a script's log stays clean.

#include <string>

#include "storage/pool/progress.h"

namespace sheaf::cli {

// One line on the standard error, where that is a terminal; gone with the scope.
class ProgressLine final : public pool::ProgressSink {
  public:
    explicit ProgressLine(std::string what);
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine() override;

    void progressed(const pool::ControlProgress& progress) override;

  private:
    std::string what_;
    bool terminal_;
    unsigned shown_ = 0;  // thousandths
    bool began_ = false;
};

}  // namespace sheaf::cli
