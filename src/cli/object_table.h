#pragma once

// Why: the server makes tables of objects (meta.k8s.io/v1 Table); here they become lines of text,
// all at once or row by row as changes come.

#include <string>
#include <vector>

#include "base/json_tree.h"

namespace sheaf::cli {

class ObjectTable {
  public:
    struct Shown {
        bool wide = false;        // columns of lesser importance too
        bool name_space = false;  // the namespace of each row
        bool event = false;       // what happened to each row
    };
    explicit ObjectTable(Shown shown) : shown_(shown) {}

    // Takes the rows of a Table; `event` stands before each. Fails with corrupt where it is none.
    Result<void> add(const Json& table, std::string_view event = {});
    // The lines of what has come since the last call, the first time below a heading. Columns are
    // as wide as what has been seen.
    std::string take();
    bool empty() const { return rows_.empty(); }

  private:
    Result<void> begin(const Json& table);

    Shown shown_;
    std::vector<std::string> heading_;
    std::vector<std::size_t> cells_;  // places in a row of the server's that are shown
    std::vector<std::size_t> widths_;
    std::vector<std::vector<std::string>> rows_;
    bool headed_ = false;
};

}  // namespace sheaf::cli
