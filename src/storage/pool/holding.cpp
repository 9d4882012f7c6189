#include "storage/pool/holding.h"

#include <fcntl.h>

#include <algorithm>

#include "storage/disk_file.h"
#include "storage/pool/layers.h"
#include "storage/pool/pool.h"

namespace sheaf::pool {

namespace {

Result<Fd> open_part(const Directory& directory, std::string_view name, int flags) {
    auto file = TRY(directory.open_file(name, flags));
    TRY_WITHIN(storage::prefer_direct(file), "{}", directory.path_of(name));
    return file;
}

}  // namespace

Result<volume::Files> Holding::open_files() const {
    volume::Files files;
    files.journal[0] = TRY(open_part(directory_, "journal.0", O_RDWR));
    files.journal[1] = TRY(open_part(directory_, "journal.1", O_RDWR));
    files.intent = TRY(open_part(directory_, "intent", O_RDWR));
    for (const auto& layer : TRY(layers()))
        if (TRY(has_claim(pool_->layers(), layer, id_)))
            files.layers.push_back(TRY(open_layer(layer)));
    return files;
}

Result<volume::LayerFiles> Holding::open_layer(const Id& layer) const {
    const auto directory = TRY(pool_->layers().open_below(to_text(layer)));
    const auto flags = TRY(shared(layer)) ? O_RDONLY : O_RDWR;
    volume::LayerFiles files{};
    files.id = layer;
    files.map = TRY(open_part(directory, "map", flags));
    files.data = TRY(open_part(directory, "data", flags));
    files.data_size = TRY(storage::size_of(files.data));
    return files;
}

Result<void> Holding::note(const Id& layer) const {
    TRY(directory_.make_file(note_name(layer)));
    return directory_.sync();
}

Result<volume::LayerFiles> Holding::make_layer(const Id& layer) const {
    TRY(note(layer));
    {
        const auto lock = TRY(pool_->lock());
        TRY(add_layer(pool_->layers(), layer, id_));
    }
    return open_layer(layer);
}

Result<void> Holding::claim(const Id& layer) const {
    TRY(note(layer));
    const auto lock = TRY(pool_->lock());
    return add_claim(pool_->layers(), layer, id_);
}

// What is out of sight takes time to remove: nobody else waits for that.
Result<void> Holding::release(const Id& layer) const {
    auto gone = false;
    {
        const auto lock = TRY(pool_->lock());
        gone = TRY(end_claim(pool_->layers(), layer, id_));
    }
    TRY(directory_.remove_file(note_name(layer)));
    TRY(directory_.sync());
    return gone ? remove_gone(pool_->layers(), layer) : Result<void>{};
}

Result<bool> Holding::shared(const Id& layer) const {
    return has_other_claims(pool_->layers(), layer, id_);
}

Result<std::vector<Id>> Holding::layers() const {
    return noted_layers(directory_);
}

Result<void> Holding::keep_only(const std::vector<Id>& needed) const {
    for (const auto& layer : TRY(layers()))
        if (std::ranges::find(needed, layer) == needed.end()) TRY(release(layer));
    return {};
}

}  // namespace sheaf::pool
