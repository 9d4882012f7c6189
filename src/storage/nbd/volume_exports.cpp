#include "storage/nbd/volume_exports.h"

namespace sheaf::nbd {

namespace {

constexpr auto of_volume = "the volume as it is";
constexpr auto of_snapshot = "the volume as it was at that snapshot";

// What differs from an earlier snapshot, which stays from the first question on.
class Since final : public storage::Extents {
  public:
    Since(volume::Volume& volume, std::string snapshot, const volume::View* later)
        : volume_(volume), snapshot_(std::move(snapshot)), later_(later) {}

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override {
        if (!view_) view_ = co_await volume_.view(snapshot_);
        auto found = co_await view_->changes(later_, offset, length, most);
        co_return found;
    }

  private:
    volume::Volume& volume_;
    std::string snapshot_;
    const volume::View* later_;
    std::unique_ptr<volume::View> view_;
};

}  // namespace

// The snapshot stays as long as a client has it open.
class VolumeExports::Kept final : public Lease {
  public:
    std::unique_ptr<volume::View> view;  // none: it is the volume itself
    std::vector<std::unique_ptr<Since>> changes;
};

std::vector<Listed> VolumeExports::list() {
    std::vector<Listed> listed{{name_, of_volume}};
    for (const auto& snapshot : volume_.snapshots())
        listed.push_back({name_ + "@" + snapshot.name, of_snapshot});
    return listed;
}

io::Task<Export> VolumeExports::open(std::string name) {
    const auto at = name.find('@');
    const auto volume = std::string_view{name}.substr(0, at);
    if (!name.empty() && volume != name_) co_await unknown(name);
    auto opened = at == name.npos ? whole() : snapshot(std::string_view{name}.substr(at + 1));
    if (!opened && opened.error().kind() == Kind::not_found) co_await unknown(name);
    co_return co_await std::move(opened);
}

Failure VolumeExports::unknown(std::string_view name) const {
    return fail(Kind::not_found, "no export \"{}\"; this server has volume {} and its snapshots",
                name, name_);
}

Result<void> VolumeExports::add_changes(Export& exported, Kept& kept, std::string_view name) const {
    for (auto& earlier : TRY(volume::View::ancestors(volume_, name))) {
        auto& since =
            kept.changes.emplace_back(std::make_unique<Since>(volume_, earlier, kept.view.get()));
        exported.changes.push_back({std::move(earlier), since.get()});
    }
    return {};
}

Result<Export> VolumeExports::whole() {
    auto kept = std::make_unique<Kept>();
    Export exported;
    exported.name = name_;
    exported.description = of_volume;
    exported.block = &volume_;
    exported.extents = &volume_;
    exported.read_only = read_only_;
    exported.fast_zero_unit = volume::block_size;
    TRY(add_changes(exported, *kept, {}));
    exported.lease = std::move(kept);
    return exported;
}

Result<Export> VolumeExports::snapshot(std::string_view name) {
    auto kept = std::make_unique<Kept>();
    kept->view = TRY(volume_.view(name));
    Export exported;
    exported.name = fmt::format("{}@{}", name_, name);
    exported.description = of_snapshot;
    exported.block = kept->view.get();
    exported.extents = kept->view.get();
    exported.read_only = true;
    TRY(add_changes(exported, *kept, name));
    exported.lease = std::move(kept);
    return exported;
}

}  // namespace sheaf::nbd
