#include "storage/pool/volume_work.h"

#include "storage/pool/inspection.h"
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

Result<std::uint64_t> size_of(const ControlRequest& request) {
    if (!request.size) return fail(Kind::invalid, "the request names no size");
    return *request.size;
}

// Under a view nothing is merged that was not begun, and what was begun comes to its end.
io::Task<std::vector<std::string>> pin_chain(volume::Volume& engine, std::string name,
                                             Conversation& with) {
    with.pinned = co_await engine.view(name);
    auto entries = engine.chain(name);
    if (!entries && entries.error().kind() == Kind::conflict) {
        static_cast<void>(co_await engine.wait_idle().result());
        co_await engine.checkpoint();
        entries = engine.chain(name);
    }
    const auto found = co_await std::move(entries);
    std::vector<std::string> chain;
    chain.reserve(found.size());
    for (const auto& entry : found) chain.push_back(to_text(entry));
    co_return chain;
}

io::Task<void> resize(Workplace at, std::uint64_t size) {
    co_await at.engine.resize(size);
    at.user.resized();
}

io::Task<void> revert(Workplace at, std::string name) {
    co_await at.user.may_revert();
    co_await at.engine.revert(std::move(name));
}

io::Task<void> change(Workplace at, const ControlRequest& request) {
    switch (request.request) {
        case ControlVerb::snapshot_create:
            co_return co_await at.engine.snapshot(co_await snapshot_name(request));
        case ControlVerb::snapshot_delete:
            co_return co_await at.engine.delete_snapshot(co_await snapshot_name(request));
        case ControlVerb::snapshot_revert:
            co_return co_await revert(at, co_await snapshot_name(request));
        case ControlVerb::resize: co_return co_await resize(at, co_await size_of(request));
        case ControlVerb::flatten: co_return co_await at.engine.flatten();
        case ControlVerb::status:
        case ControlVerb::check:
        case ControlVerb::chain: break;
    }
}

}  // namespace

std::optional<ControlProgress> progress_of(const volume::Volume& engine, const Conversation& with) {
    if (with.progress || !engine.merging()) return with.progress;
    const auto merged = engine.merge_progress();
    return ControlProgress{merged.done, merged.total};
}

io::Task<VolumeStatus> perform(Workplace at, ControlRequest request, Conversation& with) {
    with.progress.reset();
    co_await change(at, request);
    std::optional<std::vector<std::string>> chain;
    std::optional<CheckReport> checked;
    if (request.request == ControlVerb::chain)
        chain = co_await pin_chain(at.engine, co_await snapshot_name(request), with);
    if (request.request == ControlVerb::check) checked = co_await inspect(at.loop, at.engine, with);
    auto status = status_of(at.engine);
    status.chain = std::move(chain);
    status.checked = std::move(checked);
    co_return status;
}

}  // namespace sheaf::pool
