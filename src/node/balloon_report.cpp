#include "node/balloon_report.h"

namespace sheaf::node {

BalloonReport report_of(const virtio::Balloon& balloon) {
    const auto& account = balloon.account();
    return {.reported_bytes = account.reported.value(),
            .inflated_bytes = account.inflated.value(),
            .deflated_bytes = account.deflated.value(),
            .refused = account.refused.value(),
            .guest_updates = balloon.statistics().updates(),
            .guest = balloon.statistics().values()};
}

}  // namespace sheaf::node
