#include "storage/pool/volume_work.h"

#include "storage/pool/name.h"

namespace sheaf::pool {

namespace {

VolumeStatus status_of(const volume::Volume& engine) {
    VolumeStatus status;
    status.size = engine.geometry().size;
    status.allocated = engine.allocated_bytes();
    status.merging = engine.merging();
    status.base = engine.has_base();
    for (const auto& snapshot : engine.snapshots())
        status.snapshots.push_back(
            {snapshot.name, snapshot.created, snapshot.size, snapshot.own_bytes});
    return status;
}

Result<std::string> snapshot_name(const ControlRequest& request) {
    if (!request.name) return fail(Kind::invalid, "the request names no snapshot");
    TRY(check_name("snapshot", *request.name));
    return *request.name;
}

Result<std::uint64_t> checked_size(const volume::Volume& engine, const ControlRequest& request) {
    if (!request.size) return fail(Kind::invalid, "the request names no size");
    const auto now = engine.geometry().size;
    if (*request.size < now)
        return fail(Kind::invalid, "{} bytes are less than the {} it has; volumes do not shrink",
                    *request.size, now);
    return *request.size;
}

Result<std::vector<std::string>> pin_chain(volume::Volume& engine, const std::string& name,
                                           std::unique_ptr<volume::View>& pinned) {
    pinned = TRY(engine.view(name));
    std::vector<std::string> chain;
    for (const auto& entry : TRY(engine.chain(name))) chain.push_back(to_text(entry));
    return chain;
}

}  // namespace

io::Task<VolumeStatus> perform(volume::Volume& engine, VolumeUser& user, ControlRequest request,
                               std::unique_ptr<volume::View>& pinned) {
    std::optional<std::vector<std::string>> chain;
    switch (request.request) {
        case ControlVerb::status: break;
        case ControlVerb::snapshot_create:
            co_await engine.snapshot(co_await snapshot_name(request));
            break;
        case ControlVerb::snapshot_delete:
            co_await engine.delete_snapshot(co_await snapshot_name(request));
            break;
        case ControlVerb::snapshot_revert:
            co_await user.may_revert();
            co_await engine.revert(co_await snapshot_name(request));
            break;
        case ControlVerb::resize:
            co_await engine.resize(co_await checked_size(engine, request));
            user.resized();
            break;
        case ControlVerb::flatten: co_await engine.flatten(); break;
        case ControlVerb::chain:
            chain = co_await pin_chain(engine, co_await snapshot_name(request), pinned);
            break;
    }
    auto status = status_of(engine);
    status.chain = std::move(chain);
    co_return status;
}

}  // namespace sheaf::pool
