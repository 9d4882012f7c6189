#pragma once

// Why: the far end of a network card's cable in the hands of a test: frames go in and come out as
// bytes, and the settings a driver made can be looked at.

#include <deque>
#include <memory>
#include <vector>

#include "io/event.h"
#include "net/port.h"
#include "net/vnet_header.h"
#include "storage/vectors.h"

namespace sheaf::net {

using Frame = std::vector<std::byte>;  // header first

class FakePort final : public Port {
  public:
    class Queue final : public PortQueue {
      public:
        io::Task<std::size_t> receive(std::span<const iovec> vectors) override {
            while (arriving.empty() && !gone) {
                arrived.clear();
                co_await arrived.wait();
            }
            if (gone) co_await fail(Kind::unavailable, "the port is gone");
            const auto frame = std::move(arriving.front());
            arriving.pop_front();
            const auto length = std::min(frame.size(), storage::length_of(vectors));
            storage::VectorCursor{vectors}.copy_in(std::span{frame}.first(length));
            co_return length;
        }
        io::Task<void> send(std::span<const iovec> vectors) override {
            if (stuck) co_await unstuck.wait();
            if (refusing) co_await fail(Kind::invalid, "told to refuse");
            sent.emplace_back(storage::length_of(vectors));
            storage::VectorCursor{vectors}.copy_out(sent.back());
        }
        void arrive(Frame frame) {
            arriving.push_back(std::move(frame));
            arrived.set();
        }

        std::deque<Frame> arriving;
        std::vector<Frame> sent;
        io::Event arrived;
        io::Event unstuck;
        bool stuck = false;
        bool refusing = false;
        bool gone = false;
    };

    explicit FakePort(std::size_t queues) {
        while (queues_.size() < queues) queues_.push_back(std::make_unique<Queue>());
    }
    std::size_t queue_count() const override { return queues_.size(); }
    Queue& queue(std::size_t index) override { return *queues_.at(index); }
    Offloads offered() const override { return all; }
    Result<void> use_queues(std::size_t count) override {
        in_use = count;
        return {};
    }
    Result<void> accept(const Offloads& offloads) override {
        accepted = offloads;
        return {};
    }

    Offloads all{.checksum = true, .tso4 = true, .tso6 = true, .ecn = true, .uso = true};
    Offloads accepted;
    std::size_t in_use = 0;

  private:
    std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace sheaf::net
