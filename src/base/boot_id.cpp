#include "base/boot_id.h"

#include <fstream>

namespace sheaf {

Result<std::string> boot_id() {
    std::ifstream file{"/proc/sys/kernel/random/boot_id"};
    std::string text;
    if (!std::getline(file, text) || text.empty())
        return fail(Kind::unavailable, "the host has no boot id");
    return text;
}

}  // namespace sheaf
