#pragma once

// Why: what a keeper says of its machine (docs/formats/keeper-control.md), to whoever asks.

#include <string>

#include <boost/describe.hpp>

namespace sheaf::node {

BOOST_DEFINE_ENUM_CLASS(MachineState, starting, running, paused, ended)

struct KeeperStatus {
    MachineState state = MachineState::starting;
    bool stopping = false;  // whether its end was asked for
    int keeper = 0;         // process ids; 0: none
    int vmm = 0;
    unsigned reboots = 0;
    std::string started_at;  // RFC 3339, UTC
    bool operator==(const KeeperStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(KeeperStatus, (), (state, stopping, keeper, vmm, reboots, started_at))

}  // namespace sheaf::node
