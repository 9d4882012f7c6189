#include "control/pool_service.h"

#include "storage/pool/name.h"

namespace sheaf::control {

std::string pool_name_of(const Json& object) {
    const auto uid = object.text_at({"metadata", "uid"});
    const auto name = object.text_at({"metadata", "name"});
    const auto room = pool::longest_name - std::min(pool::longest_name, uid.size() + 1);
    return fmt::format("{}-{}", name.substr(0, room), uid);
}

}  // namespace sheaf::control
