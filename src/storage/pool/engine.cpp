#include "storage/pool/engine.h"

#include "storage/pool/name.h"

namespace sheaf::pool {

io::Task<void> make_content(io::Loop& loop, const Holding& made, NewVolume wanted,
                            std::vector<volume::LayerEntry> base) {
    const auto head = co_await make_id();
    static_cast<void>(co_await made.make_layer(head));
    auto files = co_await made.open_files();
    volume::Shape shape;
    shape.size = wanted.size;
    shape.checksums = wanted.checksums;
    shape.role = wanted.role;
    shape.id = made.id();
    shape.head = head;
    shape.base = std::move(base);
    co_await volume::Volume::create(loop, std::move(files), shape);
}

Result<void> check_new_name(const Pool& pool, const std::string& name) {
    TRY(check_name("volume", name));
    if (TRY(pool.shelf(Shelf::volumes).has(name)))
        return fail(Kind::exists, "volume {}: exists already", name);
    return {};
}

Result<void> publish_or_discard(const Pool& pool, Holding& made, const std::string& name,
                                Result<void> outcome, VolumeAbout about) {
    if (outcome) outcome = pool.publish(made, Shelf::volumes, name, std::move(about));
    // What cannot be discarded now is swept later.
    if (!outcome && made.name().empty()) static_cast<void>(pool.discard(made, Shelf::volumes));
    return outcome;
}

io::Task<void> create_volume(io::Loop& loop, const Pool& pool, NewVolume wanted) {
    co_await check_new_name(pool, wanted.name);
    auto made = co_await pool.begin(Shelf::volumes, "volume create");
    auto outcome = co_await make_content(loop, made, wanted).result();
    co_await publish_or_discard(pool, made, wanted.name, std::move(outcome));
}

io::Task<void> create_copy(io::Loop& loop, const Pool& pool, NewCopy wanted) {
    co_await check_new_name(pool, wanted.name);
    auto made = co_await pool.begin(Shelf::volumes, "replica serve", wanted.id);
    const NewVolume content{wanted.name, wanted.size, volume::Checksums::on, volume::Role::copy};
    auto outcome = co_await make_content(loop, made, content).result();
    VolumeAbout about;
    about.node = std::move(wanted.node);
    co_await publish_or_discard(pool, made, wanted.name, std::move(outcome), std::move(about));
}

io::Task<std::unique_ptr<volume::Volume>> open_volume(io::Loop& loop, const Pool& pool,
                                                      const Holding& holding,
                                                      volume::LayerStore& layers, Part part) {
    auto files = co_await holding.open_files();
    auto options = pool.options();
    if (part == Part::copy) options.role = volume::Role::copy;
    auto opening = volume::Volume::open(loop, std::move(files), layers, options);
    auto volume = co_await std::move(opening).result();
    if (!volume) co_await Failure{Error{volume.error()}.within("volume " + holding.name())};
    std::vector<Id> needed;
    needed.reserve((*volume)->layers().size());
    for (const auto& layer : (*volume)->layers()) needed.push_back(layer.id);
    if (auto ended = holding.keep_only(needed); !ended) {
        co_await (*volume)->abandon();
        co_await std::move(ended);
    }
    co_return *std::move(volume);
}

}  // namespace sheaf::pool
