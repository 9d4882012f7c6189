#pragma once

// Why: an error in a document names its place as a JSON pointer (RFC 6901). A path is a chain of
// pieces on the stack, one a level, and becomes a string only where there is an error to tell.

#include <cstddef>
#include <string>
#include <string_view>

namespace sheaf::json {

// Refers to its parent and to the name it was made with; both outlive it.
class Path {
  public:
    Path() = default;  // the whole document

    Path member(std::string_view name) const { return Path{this, name, 0}; }
    Path element(std::size_t index) const { return Path{this, {}, index}; }

    // "/disks/0/cache"; "/" for the whole document. Fit to be printed: control characters are
    // escaped, and names and deep paths are cut.
    std::string text() const;

  private:
    Path(const Path* parent, std::string_view name, std::size_t index)
        : parent_(parent), name_(name), index_(index) {}

    const Path* parent_ = nullptr;
    std::string_view name_;  // without data: an element of an array
    std::size_t index_ = 0;
};

// `text` in quotes for a message: escaped like JSON, cut where it is long.
std::string in_quotes(std::string_view text);

}  // namespace sheaf::json
