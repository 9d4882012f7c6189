#pragma once

// Why: after a crash any number of regions may need care, all of them in the worst case; a bit each
// is little enough.

#include <cstdint>
#include <vector>

namespace sheaf::volume {

class RegionSet {
  public:
    bool empty() const { return count_ == 0; }
    bool contains(std::uint64_t region) const { return region < bits_.size() && bits_[region]; }
    void insert(std::uint64_t region) {
        if (region >= bits_.size()) bits_.resize(region + 1);
        count_ += bits_[region] ? 0 : 1;
        bits_[region] = true;
    }
    void erase(std::uint64_t region) {
        if (!contains(region)) return;
        bits_[region] = false;
        --count_;
    }
    void clear() {
        bits_.clear();
        count_ = 0;
    }
    // The first region of the set at or after this one, or end() where there is none.
    std::uint64_t next(std::uint64_t region) const {
        while (region < bits_.size() && !bits_[region]) ++region;
        return region < bits_.size() ? region : end();
    }
    static constexpr std::uint64_t end() { return ~std::uint64_t{0}; }

  private:
    std::vector<bool> bits_;
    std::uint64_t count_ = 0;
};

}  // namespace sheaf::volume
