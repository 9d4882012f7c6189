#include "storage/volume/view.h"

#include "storage/vectors.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

namespace {

Failure read_only() {
    return fail(Kind::denied, "a snapshot is only read");
}

}  // namespace

View::View(Volume& volume, Layer& layer) : volume_(volume) {
    volume.merger_.note_view();
    for (auto* below = &layer; below; below = below->parent) {
        if (!broken(volume.options_.mutation, Mutation::view_not_pinned)) ++below->pins;
        layers_.push_back(below);
    }
}

View::~View() {
    if (!broken(volume_.options_.mutation, Mutation::view_not_pinned))
        for (auto* layer : layers_) --layer->pins;
    volume_.merger_.wake();
}

storage::Geometry View::geometry() const {
    auto geometry = volume_.geometry();
    geometry.size = layers_.front()->entry.size;
    geometry.discard_granularity = 0;
    geometry.read_only = true;
    return geometry;
}

io::Task<void> View::read(std::uint64_t offset, std::span<const iovec> vectors) {
    co_await check_range(offset, storage::length_of(vectors), geometry().size);
    co_await volume_.reader_.read_bytes(layers_.front(), offset, vectors);
}

io::Task<std::vector<storage::Extent>> View::extents(std::uint64_t offset, std::uint64_t length,
                                                     std::size_t most) {
    co_await check_range(offset, length, geometry().size);
    auto found = co_await volume_.reader_.extents(layers_.front(), offset, length, most);
    co_return found;
}

io::Task<std::vector<storage::Extent>> View::changes(const View* later, std::uint64_t offset,
                                                     std::uint64_t length, std::size_t most) const {
    const auto size = later ? later->geometry().size : volume_.geometry().size;
    co_await check_range(offset, length, size);
    auto* top = later ? later->layers_.front() : nullptr;
    auto found = co_await volume_.reader_.extents(top, offset, length, most, layers_.front());
    co_return found;
}

Result<std::vector<std::string>> View::ancestors(const Volume& volume, std::string_view snapshot) {
    const auto* layer = &volume.layers_.head();
    if (!snapshot.empty()) layer = TRY(volume.layers_.snapshot(snapshot));
    std::vector<std::string> names;
    while ((layer = layer->parent))
        if (!layer->is(layer_deleted) && !layer->is(layer_base))
            names.emplace_back(name_of(layer->entry));
    return names;
}

io::Task<void> View::flush() {
    co_return;
}

io::Task<void> View::write(std::uint64_t, std::span<const iovec>) {
    co_await read_only();
}

io::Task<void> View::discard(std::uint64_t, std::uint64_t) {
    co_await read_only();
}

io::Task<void> View::zero(std::uint64_t, std::uint64_t, storage::Space) {
    co_await read_only();
}

}  // namespace sheaf::volume
