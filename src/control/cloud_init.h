#pragma once

// Why: an image for many machines becomes one of them by what cloud-init reads at its first start:
// its name, who may log in, what is to be done. It comes on a disk, as the data source NoCloud has
// it (docs/formats/cloud-init-seed.md).

#include <string>
#include <vector>

#include "base/wall_clock.h"
#include "control/object_client.h"

namespace sheaf::control {

struct CloudInit {
    std::string instance_id;  // another one makes the guest begin anew
    std::string hostname;
    std::vector<std::string> ssh_keys;  // in the form of authorized_keys
    std::string user_data;              // as cloud-init reads it; may be empty
    std::string network_data;           // the same
};

// The bytes of the disk. Fails with invalid where something is too large.
Result<std::string> make_seed(const CloudInit& wanted, WallClock::TimePoint made);

// What the volume source `cloudInitNoCloud` of a machine in this namespace says: its texts, or
// those of the Secrets that it names. Fails with not_found where such a Secret is not there, with
// invalid where something is said twice or is no base64.
io::Task<CloudInit> read_cloud_init(ObjectClient& client, std::string name_space, Json source);

}  // namespace sheaf::control
