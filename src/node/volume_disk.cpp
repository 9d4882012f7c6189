#include "node/volume_disk.h"

#include <algorithm>

#include "io/task_group.h"
#include "storage/disk_file.h"

namespace sheaf::node {

namespace {

Result<volume::Files> files_of(const VolumeSpec& spec) {
    volume::Files files;
    if (spec.journal.size() != files.journal.size())
        return fail(Kind::invalid, "{} copies of the journal", spec.journal.size());
    for (std::size_t copy = 0; copy < spec.journal.size(); ++copy)
        files.journal.at(copy) = Fd{spec.journal[copy]};
    files.intent = Fd{spec.intent};
    for (const auto& layer : spec.layers) {
        auto& opened = files.layers.emplace_back();
        opened.map = Fd{layer.map};
        opened.data = Fd{layer.data};
        opened.id = TRY(pool::parse_id(layer.id));
        opened.data_size = TRY(storage::size_of(opened.data));
    }
    return files;
}

}  // namespace

VolumeDisk::VolumeDisk(io::Loop& loop, const VolumeSpec& spec)
    : loop_(loop),
      name_(spec.name),
      lock_(spec.lock),
      control_(spec.control),
      layers_(loop, Fd{spec.requests}) {}

Result<std::unique_ptr<VolumeDisk>> VolumeDisk::open(io::Loop& loop, const VolumeSpec& spec) {
    auto disk = std::unique_ptr<VolumeDisk>{new VolumeDisk{loop, spec}};
    auto files = TRY_WITHIN(files_of(spec), "volume {}", spec.name);
    volume::Options options;
    options.growth.keep_free = spec.keep_free;
    options.boot = TRY_WITHIN(pool::parse_id(spec.boot), "volume {}", spec.name);
    TRY_WITHIN(io::run(loop, disk->start(std::move(files), options)), "volume {}", spec.name);
    return disk;
}

io::Task<void> VolumeDisk::start(volume::Files files, volume::Options options) {
    std::vector<volume::Id> claimed;
    claimed.reserve(files.layers.size());
    for (const auto& layer : files.layers) claimed.push_back(layer.id);
    engine_ = co_await volume::Volume::open(loop_, std::move(files), layers_, options);
    co_await end_needless_claims(std::move(claimed));
    server_.emplace(loop_, std::move(control_),
                    pool::ControlServer::Served{*engine_, *this, name_});
}

// What a crash left claimed and no table names.
io::Task<void> VolumeDisk::end_needless_claims(std::vector<volume::Id> claimed) {
    for (const auto& layer : claimed) {
        const auto& needed = engine_->layers();
        if (std::ranges::find(needed, layer, &volume::LayerEntry::id) == needed.end())
            co_await layers_.release(layer);
    }
}

Result<void> VolumeDisk::may_revert() const {
    return fail(Kind::conflict, "a machine uses it; power it off first");
}

void VolumeDisk::resized() {
    if (tell_of_size_) tell_of_size_();
}

// What fails here is recovered by the next one to open it.
VolumeDisk::~VolumeDisk() {
    if (engine_) static_cast<void>(io::run(loop_, shut_down()));
}

io::Task<void> VolumeDisk::shut_down() {
    if (server_) co_await server_->stop();
    const auto engine = std::exchange(engine_, nullptr);
    auto outcome = co_await engine->shut_down().result();
    if (!outcome) co_await Failure{std::move(outcome).error().within("volume " + name_)};
}

}  // namespace sheaf::node
