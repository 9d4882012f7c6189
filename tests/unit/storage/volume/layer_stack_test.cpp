#include "storage/volume/layer_stack.h"

#include "volume_fixture.h"

namespace sheaf::volume {
namespace {

// Snapshots, clones and what becomes of them, through the kernel.
class LayerStacks : public Volumes {
  protected:
    void SetUp() override {
        create();
        open();
    }
    void expect_snapshot(const std::string& name, const Bytes& wanted) {
        const auto view = volume->view(name);
        ASSERT_TRUE(view) << view.error().text();
        Bytes found(wanted.size());
        const iovec piece{found.data(), found.size()};
        const auto outcome = run((*view)->read(0, std::span{&piece, 1}));
        ASSERT_TRUE(outcome) << outcome.error().text();
        EXPECT_TRUE(found == wanted) << name;
    }
    void snapshot(const std::string& name) {
        const auto outcome = run(volume->snapshot(name));
        ASSERT_TRUE(outcome) << outcome.error().text();
    }
    void fill(std::uint64_t offset, std::size_t length, unsigned seed) {
        auto bytes = pattern(length, seed);
        ASSERT_TRUE(write(offset, bytes));
        std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    void reopen() {
        shut_down();
        open();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& snapshot : volume->snapshots()) names.push_back(snapshot.name);
        return names;
    }
    io::Task<void> write_everywhere(std::uint64_t offset) {
        auto bytes = pattern(4096, static_cast<unsigned>(offset));
        const iovec piece{bytes.data(), bytes.size()};
        for (; offset < size; offset += 1 << 20)
            co_await volume->write(offset, std::span{&piece, 1});
    }
    io::Task<void> change_the_stack() {
        for (std::uint64_t turn = 1; turn <= 6; ++turn) {
            co_await write_everywhere(turn << 17);
            co_await volume->snapshot(fmt::format("s{}", turn));
            if (turn == 3) co_await volume->revert("s2");
            if (turn > 3) co_await volume->delete_snapshot(fmt::format("s{}", turn - 2));
        }
        co_await volume->wait_idle();
    }
    io::Task<void> check_until(const bool& over) {
        while (!over) {
            co_await volume->check_slots();
            ++checks;
            co_await loop->sleep(std::chrono::microseconds{50});
        }
    }
    io::Task<void> check_while_the_stack_changes() {
        auto over = false;
        io::TaskGroup checking;
        checking.start(check_until(over));
        auto changed = co_await change_the_stack().result();
        over = true;
        co_await checking.join();
        co_await std::move(changed);
    }
    // Ends when a chunk finds room where the file has it already.
    io::Task<void> write_new_chunks_from(std::uint64_t offset) {
        auto bytes = pattern(4096, 19);
        const iovec piece{bytes.data(), bytes.size()};
        for (auto slots = std::uint32_t{0}; offset < size; offset += chunk_size) {
            co_await volume->write(offset, std::span{&piece, 1});
            co_await volume->checkpoint();
            if (std::exchange(slots, volume->layers().back().slots_end) ==
                volume->layers().back().slots_end)
                co_return;
            co_await loop->sleep(std::chrono::milliseconds{2});
        }
        co_await fail(Kind::exhausted, "the file has grown all the time");
    }
    io::Task<void> find_extents(storage::Extents& disk, std::uint64_t offset, std::uint64_t length,
                                std::size_t most) {
        extents = co_await disk.extents(offset, length, most);
    }

    Bytes content = Bytes(size);
    std::vector<storage::Extent> extents;
    unsigned checks = 0;
};

TEST_F(LayerStacks, KeepWhatWasFrozenWhileTheVolumeGoesOn) {
    fill(0, 1 << 20, 1);
    snapshot("first");
    const auto first = content;
    fill(512 << 10, 1 << 20, 2);
    ASSERT_TRUE(run(volume->discard(0, 128 << 10)));
    std::fill_n(content.begin(), 128 << 10, std::byte{0});
    snapshot("second");
    const auto second = content;
    fill(0, 4096, 3);
    for (auto turn = 0; turn < 2; ++turn) {
        expect(0, content);
        expect_snapshot("first", first);
        expect_snapshot("second", second);
        EXPECT_EQ(names(), (std::vector<std::string>{"first", "second"}));
        EXPECT_TRUE(run(volume->check_slots()));
        reopen();
    }
    EXPECT_TRUE(read_independently() == content);
    shut_down();
}

TEST_F(LayerStacks, OfADeletedSnapshotGoIntoWhatIsAbove) {
    fill(0, 2 << 20, 4);
    snapshot("old");
    fill(1 << 20, 2 << 20, 5);
    snapshot("middle");
    const auto middle = content;
    fill(4096, 4096, 6);
    EXPECT_TRUE(run(volume->delete_snapshot("old")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(store.count(), 2u);
    EXPECT_EQ(names(), std::vector<std::string>{"middle"});
    expect_snapshot("middle", middle);
    expect(0, content);
    // The newest one too.
    EXPECT_TRUE(run(volume->delete_snapshot("middle")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(store.count(), 1u);
    EXPECT_EQ(volume->layers().size(), 1u);
    expect(0, content);
    EXPECT_TRUE(run(volume->check_slots()));
    reopen();
    expect(0, content);
    EXPECT_TRUE(read_independently() == content);
    shut_down();
}

TEST_F(LayerStacks, AreNotMergedWhileTheyAreRead) {
    fill(0, 1 << 20, 7);
    snapshot("seen");
    const auto seen = content;
    fill(0, 1 << 20, 8);
    auto view = volume->view("seen");
    ASSERT_TRUE(view);
    EXPECT_TRUE(run(volume->delete_snapshot("seen")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(store.count(), 2u);
    Bytes found(1 << 20);
    const iovec piece{found.data(), found.size()};
    EXPECT_TRUE(run((*view)->read(0, std::span{&piece, 1})));
    EXPECT_TRUE(std::ranges::equal(found, std::span{seen}.first(found.size())));
    EXPECT_EQ(run((*view)->write(0, std::span{&piece, 1})).error().kind(), Kind::denied);
    view->reset();
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(store.count(), 1u);
    expect(0, content);
    shut_down();
}

TEST_F(LayerStacks, OfASnapshotComeBackByARevert) {
    fill(0, 1 << 20, 9);
    snapshot("good");
    const auto good = content;
    fill(0, 2 << 20, 10);
    snapshot("bad");
    const auto bad = content;
    fill(0, 4096, 11);
    EXPECT_TRUE(run(volume->revert("good")));
    expect(0, good);
    content = good;
    fill(3 << 20, 65536, 12);
    // Two are above "good" now: it cannot be merged into one of them.
    EXPECT_TRUE(run(volume->delete_snapshot("good")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(store.count(), 3u);
    expect_snapshot("bad", bad);
    reopen();
    expect(0, content);
    // Nobody is above "bad", so it goes at once, and then "good" can.
    EXPECT_TRUE(run(volume->delete_snapshot("bad")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(store.count(), 1u);
    expect(0, content);
    shut_down();
}

TEST_F(LayerStacks, AreRefusedUnderWrongNames) {
    for (const auto* wrong : {"", "A", "a/b", "a b", "..\n"})
        EXPECT_EQ(run(volume->snapshot(wrong)).error().kind(), Kind::invalid) << wrong;
    EXPECT_EQ(run(volume->snapshot(std::string(64, 'a'))).error().kind(), Kind::invalid);
    snapshot(std::string(63, 'a'));
    snapshot("one");
    EXPECT_EQ(run(volume->snapshot("one")).error().kind(), Kind::exists);
    EXPECT_EQ(run(volume->delete_snapshot("two")).error().kind(), Kind::not_found);
    EXPECT_EQ(run(volume->revert("two")).error().kind(), Kind::not_found);
    EXPECT_EQ(volume->view("two").error().kind(), Kind::not_found);
    EXPECT_EQ(volume->chain("two").error().kind(), Kind::not_found);
    EXPECT_TRUE(run(volume->delete_snapshot("one")));
    snapshot("one");
    EXPECT_EQ(store.count(), volume->layers().size());
    shut_down();
}

TEST_F(LayerStacks, GrowAndNeverShrink) {
    fill(size - 65536, 65536, 13);
    snapshot("small");
    EXPECT_EQ(run(volume->resize(size - 4096)).error().kind(), Kind::invalid);
    EXPECT_EQ(run(volume->resize(size + 512)).error().kind(), Kind::invalid);
    EXPECT_EQ(run(volume->resize(most_bytes + 4096)).error().kind(), Kind::invalid);
    const auto grown = std::uint64_t{64} << 30;  // more than one page of intents
    ASSERT_TRUE(run(volume->resize(grown)));
    EXPECT_EQ(volume->geometry().size, grown);
    expect(size, Bytes(65536));
    auto bytes = pattern(65536, 14);
    EXPECT_TRUE(write(grown - 65536, bytes));
    reopen();
    EXPECT_EQ(volume->geometry().size, grown);
    expect(grown - 65536, bytes);
    {
        const auto view = volume->view("small");
        ASSERT_TRUE(view);
        EXPECT_EQ((*view)->geometry().size, size);
        EXPECT_TRUE((*view)->geometry().read_only);
    }
    shut_down();
}

TEST_F(LayerStacks, AreToldApartByWhatTheyHold) {
    using enum storage::Extent::Kind;
    fill(1 << 20, 8192, 15);
    snapshot("below");
    ASSERT_TRUE(run(volume->discard(1 << 20, 4096)));
    ASSERT_TRUE(run(find_extents(*volume, 0, size, 16)));
    const std::vector<storage::Extent> expected{
        {1 << 20, hole}, {4096, zero}, {4096, data}, {size - (1 << 20) - 8192, hole}};
    EXPECT_EQ(extents, expected);
    ASSERT_TRUE(run(find_extents(*volume, (1 << 20) + 4096, 8192, 1)));
    EXPECT_EQ(extents, (std::vector<storage::Extent>{{4096, data}}));
    {
        const auto view = volume->view("below");
        ASSERT_TRUE(run(find_extents(**view, (1 << 20) - 4096, 12288, 16)));
        EXPECT_EQ(extents, (std::vector<storage::Extent>{{4096, hole}, {8192, data}}));
    }
    EXPECT_EQ(run(find_extents(*volume, size, 4096, 1)).error().kind(), Kind::invalid);
    shut_down();
}

TEST_F(LayerStacks, GiveTheRoomOfDiscardedChunksBack) {
    shut_down();
    open_with_small_steps();
    fill(0, 12 << 20, 16);
    ASSERT_TRUE(run(volume->flush()));
    EXPECT_GE(store.bytes_taken(), 12u << 20);
    ASSERT_TRUE(run(volume->discard(0, 12 << 20)));
    ASSERT_TRUE(run(wait_until_taken_is_below(6 << 20)));
    // What is punched is used again.
    std::ranges::fill(content, std::byte{0});
    fill(0, 12 << 20, 17);
    expect(0, content);
    reopen();
    expect(0, content);
    EXPECT_TRUE(run(volume->check_slots()));
    shut_down();
}

TEST_F(LayerStacks, FindTheFreeSlotsOfAnEarlierLife) {
    shut_down();
    open_with_small_steps();
    fill(0, 8 << 20, 18);
    ASSERT_TRUE(run(volume->discard(0, 4 << 20)));
    shut_down();
    open_with_small_steps();
    EXPECT_TRUE(run(write_new_chunks_from(8 << 20)));
    EXPECT_TRUE(run(volume->check_slots()));
    shut_down();
}

TEST_F(LayerStacks, AreCountedWhileTheyChange) {
    shut_down();
    open_with_small_steps();
    const auto outcome = run(check_while_the_stack_changes());
    EXPECT_TRUE(outcome) << outcome.error().text();
    EXPECT_GT(checks, 6u);
    EXPECT_EQ(names(), (std::vector<std::string>{"s1", "s5", "s6"}));
    shut_down();
}

// A second volume over a snapshot of the first one.
class Clones : public LayerStacks {
  protected:
    Files clone_files() {
        const auto home = folder / "volumes/clone";
        std::filesystem::create_directories(home);
        Files files;
        files.journal = {file_at(home / "journal.0"), file_at(home / "journal.1")};
        files.intent = file_at(home / "intent");
        files.layers = store.open_all();
        return files;
    }
    static Fd file_at(const std::filesystem::path& path) {
        return Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    }
    io::Task<void> open_clone() {
        clone = co_await Volume::open(*loop, clone_files(), clone_store, Options{});
    }
    void make_clone(const std::string& name) {
        auto base = volume->chain(name);
        ASSERT_TRUE(base) << base.error().text();
        for (const auto& below : *base) {
            store.others.insert(below.id);
            clone_store.others.insert(below.id);
        }
        auto wanted = shape();
        wanted.id = Id{7};
        wanted.head = Id{8};
        wanted.base = *base;
        ASSERT_TRUE(run(Volume::create(*loop, clone_files(), wanted)));
        clone_store.open(Id{8});
        const auto outcome = run(open_clone());
        ASSERT_TRUE(outcome) << outcome.error().text();
    }
    void expect_clone(const Bytes& bytes) {
        Bytes found(bytes.size());
        const iovec piece{found.data(), found.size()};
        const auto outcome = run(clone->read(0, std::span{&piece, 1}));
        ASSERT_TRUE(outcome) << outcome.error().text();
        EXPECT_TRUE(found == bytes);
    }

    FolderStore clone_store{folder / "layers"};
    std::unique_ptr<Volume> clone;
};

TEST_F(Clones, OutliveTheSnapshotTheyAreOf) {
    fill(0, 1 << 20, 18);
    snapshot("base");
    const auto base = content;
    make_clone("base");
    expect_clone(base);
    EXPECT_TRUE(clone->snapshots().empty());
    EXPECT_TRUE(clone->has_base());
    fill(0, 1 << 20, 19);
    EXPECT_TRUE(run(volume->delete_snapshot("base")));
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(volume->layers().size(), 2u);  // it is shared
    expect_clone(base);

    EXPECT_TRUE(run(clone->flatten()));
    EXPECT_FALSE(clone->has_base());
    EXPECT_EQ(clone->layers().size(), 1u);
    expect_clone(base);
    store.others.clear();
    EXPECT_TRUE(run(volume->wait_idle()));
    EXPECT_EQ(volume->layers().size(), 1u);
    expect(0, content);
    expect_clone(base);
    EXPECT_TRUE(run(clone->shut_down()));
    shut_down();
}

TEST_F(Clones, AreNotSmallerThanWhatTheyAreOf) {
    snapshot("base");
    auto small = shape();
    small.base = *volume->chain("base");
    small.size = size - 4096;
    EXPECT_EQ(run(Volume::create(*loop, clone_files(), small)).error().kind(), Kind::invalid);
    shut_down();
}

}  // namespace
}  // namespace sheaf::volume
