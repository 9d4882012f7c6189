#include "devices/virtio/chain_stock.h"

namespace sheaf::virtio {

io::Task<void> ChainStock::wait_for_more_than(std::size_t count) {
    while (chains_.size() <= count) {
        grown_.clear();
        co_await grown_.wait();
    }
}

io::Task<void> serve_from_stock(Queue& queue, ChainStock& stock, io::Task<void> user) {
    io::TaskGroup users;
    users.start(std::move(user));
    while (auto chain = co_await queue.next()) stock.put(*std::move(chain));
    users.cancel();
    co_await users.join();
}

}  // namespace sheaf::virtio
