#include "storage/nbd/volume_exports.h"

namespace sheaf::nbd {

std::vector<Listed> VolumeExports::list() {
    return {{name_, "the volume as it is"}};
}

io::Task<Export> VolumeExports::open(std::string name) {
    if (!name.empty() && name != name_)
        co_await fail(Kind::not_found, "no export \"{}\"; this server has volume {}", name, name_);
    Export exported;
    exported.name = name_;
    exported.description = "the volume as it is";
    exported.block = &volume_;
    exported.read_only = read_only_;
    exported.fast_zero_unit = volume::block_size;
    co_return exported;
}

}  // namespace sheaf::nbd
