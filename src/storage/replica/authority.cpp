#include "storage/replica/authority.h"

namespace sheaf::replica {

io::Task<void> RecordedAuthority::check(volume::Id volume, std::string node, std::uint64_t epoch) {
    const auto name = names_.find(volume);
    if (name == names_.end()) co_await fail(Kind::not_found, "no such volume is here");
    auto key = membership_key(name->second);
    const auto record = co_await store_.get(std::move(key));
    if (!record) co_await fail(Kind::not_found, "the volume has no membership record");
    const auto membership = co_await parse_membership(record->value);
    if (membership.id != text_of(volume))
        co_await fail(Kind::denied, "the record is of another volume");
    if (membership.epoch > epoch)
        co_await fail(Kind::conflict, "epoch {} was superseded by {}", epoch, membership.epoch);
    if (membership.epoch < epoch || membership.engine != node)
        co_await fail(Kind::denied, "the engine of epoch {} is {}, not {}", membership.epoch,
                      membership.engine, node);
}

}  // namespace sheaf::replica
