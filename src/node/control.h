#pragma once

// Why: the packets between keeper and VMM (docs/formats/vmm-control.md), as values.

#include <optional>
#include <string>
#include <utility>

#include <boost/describe.hpp>

#include "base/fd.h"
#include "base/json.h"
#include "io/loop.h"
#include "io/task.h"
#include "node/balloon_report.h"

namespace sheaf::node {

inline constexpr std::size_t control_packet_limit = 64 * 1024;

BOOST_DEFINE_ENUM_CLASS(Command, power_button, refresh_disks, pause, resume, stop)
struct CommandPacket {
    Command command = Command::stop;
};
BOOST_DESCRIBE_STRUCT(CommandPacket, (), (command))

BOOST_DEFINE_ENUM_CLASS(EventName, running, paused, refused, ended)
struct EventPacket {
    EventName event = EventName::running;
    std::string kind;                      // of a refusal
    std::string how;                       // of an ending
    std::string detail;                    // for a person
    std::optional<BalloonReport> balloon;  // with an ending, where there is one
};
BOOST_DESCRIBE_STRUCT(EventPacket, (), (event, kind, how, detail, balloon))

// The two ends, close-on-exec.
Result<std::pair<Fd, Fd>> make_control_channel();

// Sends one packet now; the channel's buffer holds many times what is ever in flight.
Result<void> send_packet(const Fd& channel, std::string_view packet);

// Waits for the next packet; empty once the other end has closed.
io::Task<std::string> receive_packet(io::Loop& loop, const Fd& channel);

// The same without a loop, for the specification a VMM starts with.
Result<std::string> receive_packet_now(const Fd& channel);

}  // namespace sheaf::node
