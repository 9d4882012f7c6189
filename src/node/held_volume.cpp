#include "node/held_volume.h"

#include "node/control.h"
#include "storage/pool/control_socket.h"

namespace sheaf::node {

namespace {

// Keeps a descriptor for the offer and gives its number.
int keep(std::vector<Fd>& opened, Fd descriptor) {
    opened.push_back(std::move(descriptor));
    return opened.back().get();
}

}  // namespace

Result<std::unique_ptr<HeldVolume>> HeldVolume::take(const std::string& pool_path,
                                                     const std::string& name) {
    auto pool = TRY(pool::Pool::open(pool_path));
    auto holding = TRY(pool->hold(pool::Shelf::volumes, name, "run"));
    auto listener = TRY(pool::listen_for_control(holding.directory()));
    // From here on requests wait in the socket until a VMM takes them.
    TRY(holding.lock().begin_serving());
    return std::unique_ptr<HeldVolume>{
        new HeldVolume{std::move(pool), std::move(holding), std::move(listener)}};
}

// Whoever asks now waits for the lock. Where that cannot be said they are refused a little longer.
HeldVolume::~HeldVolume() {
    static_cast<void>(holding_.lock().end_serving());
    static_cast<void>(pool::remove_control(holding_.directory()));
}

Result<HeldVolume::Offer> HeldVolume::offer() const {
    auto files = TRY_WITHIN(holding_.open_files(), "volume {}", holding_.name());
    auto [mine, theirs] = TRY(make_control_channel());
    Offer offer;
    auto& spec = offer.spec;
    spec.name = holding_.name();
    for (auto& journal : files.journal)
        spec.journal.push_back(keep(offer.opened, std::move(journal)));
    spec.intent = keep(offer.opened, std::move(files.intent));
    for (auto& layer : files.layers)
        spec.layers.push_back({.id = pool::to_text(layer.id),
                               .map = keep(offer.opened, std::move(layer.map)),
                               .data = keep(offer.opened, std::move(layer.data))});
    spec.requests = keep(offer.opened, std::move(theirs));
    spec.control = keep(offer.opened, TRY(listener_.duplicate()));
    spec.lock = keep(offer.opened, TRY(holding_.lock().descriptor().duplicate()));
    const auto options = pool_->options();
    spec.keep_free = options.growth.keep_free;
    spec.boot = pool::to_text(options.boot);
    offer.requests = std::move(mine);
    return offer;
}

}  // namespace sheaf::node
