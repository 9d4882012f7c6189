// The requests of a history, and what the model says of their results. Of an engine that is not the
// newest one that served, a read says nothing, and a write that began after that must fail.

#include "sim/cluster_history.h"
#include "storage/aligned_buffer.h"

namespace sheaf::sim {

namespace {

constexpr auto sector = SectorModel::sector_size;
constexpr std::uint64_t block = 4_KiB;

void fill(std::span<std::byte> bytes, SectorModel::Range sectors, Version version) {
    for (auto number = sectors.first; number < sectors.end; ++number)
        SectorModel::fill(bytes.subspan((number - sectors.first) * sector, sector), number,
                          version);
}

}  // namespace

ClusterHistory::Span ClusterHistory::draw_span(std::uint64_t grain) {
    const auto most = random_.chance(0.9) ? 16_KiB : 384_KiB;
    const auto length = grain * (1 + random_.below(most / grain));
    // Some places are written again and again, so that requests meet.
    const auto within = random_.chance(0.5) ? 512_KiB : size_;
    return {random_.below((within - length) / grain + 1) * grain, length};
}

// Requests fail where their engine is over, or its host, and for no other reason.
void ClusterHistory::failed(const Engine& engine, const Error& error) {
    ++result_.coverage.failed_requests;
    if (engine.requests.cancelled() || engine.volume->ended()) return;
    violate("a request of an engine that is not over failed: " + error.text());
}

io::Task<void> ClusterHistory::write(Engine& engine, Span span) {
    ++result_.coverage.writes;
    const auto sectors = span.sectors();
    const auto version = ++last_version_;
    storage::AlignedBuffer buffer{align_up(span.length, block)};
    const auto bytes = buffer.bytes().first(span.length);
    fill(bytes, sectors, version);
    const iovec piece{bytes.data(), bytes.size()};
    const auto life = life_;
    const auto current = engine.life == life;
    const auto id = current ? model_.begin_write(sectors, version) : 0;
    const auto outcome = co_await engine.volume->write(span.offset, std::span{&piece, 1}).result();
    if (!outcome) failed(engine, outcome.error());
    if (current && life == life_)
        model_.end_write(sectors, id, outcome ? SectorModel::End::done : SectorModel::End::failed);
    if (!current && outcome) violate("an engine that was superseded answered a write");
}

io::Task<void> ClusterHistory::zero(Engine& engine, Span span) {
    ++result_.coverage.zeroes;
    const auto life = life_;
    const auto current = engine.life == life;
    const auto sectors = span.sectors();
    const auto id = current ? model_.begin_write(sectors, 0) : 0;
    auto outcome = Result<void>{};
    if (random_.chance(0.5)) {
        outcome = co_await engine.volume->discard(span.offset, span.length).result();
    } else {
        outcome =
            co_await engine.volume->zero(span.offset, span.length, storage::Space::keep).result();
    }
    if (!outcome) failed(engine, outcome.error());
    if (current && life == life_)
        model_.end_write(sectors, id, outcome ? SectorModel::End::done : SectorModel::End::failed);
    if (!current && outcome) violate("an engine that was superseded answered a discard");
}

io::Task<void> ClusterHistory::read(Engine& engine, Span span) {
    ++result_.coverage.reads;
    storage::AlignedBuffer buffer{align_up(span.length, block)};
    const auto bytes = buffer.bytes().first(span.length);
    const iovec piece{bytes.data(), bytes.size()};
    const auto sectors = span.sectors();
    const auto life = life_;
    const auto current = engine.life == life;
    const auto beginning = model_.begin_read(sectors);
    const auto outcome = co_await engine.volume->read(span.offset, std::span{&piece, 1}).result();
    if (!outcome) failed(engine, outcome.error());
    if (!outcome || !current || life != life_) co_return;
    const auto wrong = model_.end_read(sectors, beginning, bytes);
    if (wrong) violate("a read: " + *wrong);
}

io::Task<void> ClusterHistory::flush(Engine& engine) {
    ++result_.coverage.flushes;
    const auto life = life_;
    const auto current = engine.life == life;
    const auto began = model_.now();
    const auto outcome = co_await engine.volume->flush().result();
    if (!outcome) failed(engine, outcome.error());
    if (outcome && current && life == life_) model_.flushed(began);
}

}  // namespace sheaf::sim
