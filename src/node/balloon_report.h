#pragma once

// Why: what became of a guest's memory, for the person who gave it a balloon: how much the host got
// back, and how the guest fared by its own account.

#include <cstdint>
#include <map>
#include <string>

#include <boost/describe.hpp>

#include "devices/virtio/balloon.h"

namespace sheaf::node {

struct BalloonReport {
    std::uint64_t reported_bytes = 0;  // of free pages, given back to the host
    std::uint64_t inflated_bytes = 0;  // that went into the balloon
    std::uint64_t deflated_bytes = 0;  // that came back out
    std::uint64_t refused = 0;         // pages and ranges that are not the guest's to give
    std::uint64_t guest_updates = 0;   // how often the guest told about itself
    std::map<std::string, std::uint64_t> guest;  // what it told last: free_bytes, ...
};
BOOST_DESCRIBE_STRUCT(BalloonReport, (),
                      (reported_bytes, inflated_bytes, deflated_bytes, refused, guest_updates,
                       guest))

// Any thread.
BalloonReport report_of(const virtio::Balloon& balloon);

}  // namespace sheaf::node
