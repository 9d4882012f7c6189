#include "storage/replica/member_way.h"

#include <algorithm>

namespace sheaf::replica {

namespace {

constexpr int many_times = 16;  // as long as usual: then it is not just slow
constexpr int smoothing = 8;

}  // namespace

io::Duration MemberWay::limit() const {
    return std::clamp<io::Duration>(usual_ * many_times, patience_.least, patience_.most);
}

void MemberWay::note_time(io::Duration took) {
    usual_ += (took - usual_) / smoothing;
}

io::Task<void> MemberWay::shut_down() {
    open_ = false;
    if (!replica_) co_return;
    co_await replica_->shut_down();
    while (in_flight_ > 0) co_await ended_.wait();
    replica_.reset();
}

io::Task<Sealed> MemberWay::reach(std::uint64_t epoch, std::uint64_t attempt) {
    co_await shut_down();
    auto opening = ways_.open(node_);
    replica_ = co_await io::within(loop_, patience_.most, std::move(opening));
    auto sealing = replica_->seal(epoch, attempt);
    auto sealed = co_await io::within(loop_, patience_.most, std::move(sealing));
    ++opened_;
    open_ = true;
    co_return sealed;
}

}  // namespace sheaf::replica
