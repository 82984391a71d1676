"""docs/differences.md, entry by entry: known differences are passing tests."""

import gc
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Scalar, kernels
from autograd.watch import WATCHERS

PAGE = Path(__file__).parent.parent / "docs" / "differences.md"


# Entries whose test stands beside others of its kind.
ELSEWHERE = {
    51: ("nn/test_data_workers.py", "test_random_samples_do_not_depend_on_the_workers"),
    52: ("nn/test_data_workers.py", "test_streams"),
    53: (
        "optim/test_algorithms.py",
        "test_muon_iterates_in_full_precision_where_torch_rounds_to_bfloat16",
    ),
    54: ("optim/test_algorithms.py", "test_what_makes_no_sense_is_refused"),
    55: ("optim/test_algorithms.py", "test_a_state_of_another_optimizer_is_refused"),
    56: ("nn/test_swa_utils.py", "test_all_names_and_signatures_are_those_of_torch"),
    57: (
        "optim/test_schedules.py",
        "test_a_sequence_begins_with_epoch_0_of_what_is_made_of_others",
    ),
    58: (
        "optim/test_schedules.py",
        "test_a_rate_that_is_not_a_number_is_refused_and_changes_nothing",
    ),
    59: ("nn/test_embedding.py", "test_frequencies_are_those_of_each_row"),
    60: ("nn/test_embedding.py", "test_sparse_is_accepted_and_gradients_are_dense"),
    61: ("nn/test_lazy.py", "test_before_the_first_call"),
    62: ("nn/test_module_hooks.py", "test_the_old_name_of_backward_hooks_has_the_new_meaning"),
    63: ("nn/test_functional.py", "test_integers_are_refused"),
    64: ("nn/test_serialize_formats.py", "test_arguments_of_torch_load"),
    65: ("nn/test_pth.py", "test_all_that_torch_saves_is_read"),
    66: ("nn/test_utils_parametrize.py", "test_errors_leave_the_module_as_it_was"),
    67: (
        "nn/test_utils_parametrize.py",
        "test_weight_decay_leaves_an_orthogonal_weight_orthogonal",
    ),
    68: ("nn/test_utils.py", "test_skipped_initial_values_draw_nothing"),
}


def test_every_entry_has_its_test():
    numbers = [
        int(n) for n in re.findall(r"^(\d+)\. ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    here = [int(m[1]) for name in globals() if (m := re.match(r"test_(\d+)_", name))]
    assert sorted([*here, *ELSEWHERE]) == numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(("file", "name"), ELSEWHERE.values())
def test_the_tests_elsewhere_exist(file, name):
    assert f"\ndef {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_01_shapes_and_dtypes_are_plain():
    x = autograd.zeros(2, 3)
    assert type(x.shape) is tuple
    assert x.dtype is np.dtype(np.float32)


def test_02_numpy_warns_where_numpy_computes():
    x = autograd.tensor([-1.0])
    with kernels.use("reference"), pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(x.log().item())
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(x.sqrt().item())
    with kernels.use("fast"):
        assert np.isnan(x.log().item())


def test_03_integer_gradients_are_a_type_error():
    with pytest.raises(TypeError, match="only floating-point tensors can require grad, not int64"):
        autograd.tensor([1, 2], requires_grad=True)


def test_04_recorded_changes_of_views_are_refused():
    def scenario():
        x = autograd.ones(4, requires_grad=True) * 1
        view = x[:2]
        with pytest.raises(RuntimeError, match="view of another one's memory"):
            view *= 2
        x *= 2
        np.testing.assert_array_equal(x.detach().numpy(), [2.0] * 4)
        with pytest.raises(RuntimeError, match="mul_ changed after the view was made"):
            autograd.add(view, 1)
        assert WATCHERS  # looking at every call costs time ...

    scenario()
    gc.collect()  # the tracebacks of the errors hold the tensors
    assert not WATCHERS  # ... and ends with the array that was changed


def test_05_inference_results_are_constants():
    with autograd.inference_mode():
        c = autograd.ones(2) * 3
    w = autograd.ones(2, requires_grad=True)
    (w * c).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [3.0, 3.0]


def test_06_losses_do_not_broadcast():
    for loss in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"):
        with pytest.raises(ValueError, match="shape"):
            getattr(nn.functional, loss)(autograd.ones(3, 1), autograd.ones(3))


def test_07_softmax_wants_a_dim():
    for function in (autograd.softmax, autograd.log_softmax):
        with pytest.raises(TypeError, match="say along which dim"):
            function(autograd.ones(2, 2))


def test_08_inplace_modules_leave_the_input_alone():
    x = autograd.tensor([-1.0, 1.0])
    nn.ReLU(inplace=True)(x)
    assert x.tolist() == [-1.0, 1.0]


def test_09_scalars_raise_as_floats_do():
    with pytest.raises(ZeroDivisionError):
        autograd.div(Scalar(1.0), Scalar(0.0))
    with pytest.raises(ValueError, match=r"math domain error|positive"):
        Scalar(0.0).log()


def test_10_the_error_names_both_ops():
    x = autograd.ones(2, requires_grad=True)
    y = (x * 1).exp()
    y += 1
    with pytest.raises(RuntimeError, match=r"add_ changed in place a value that exp had saved"):
        y.sum().backward()
    w = autograd.ones(2, requires_grad=True)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"SGD.* changed in place a value that mul had saved"):
        loss.backward()


def test_11_optimizers_check_more():
    w = autograd.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="lr"):
        optim.SGD([w], lr=float("nan"))
    with pytest.raises(ValueError, match="a parameter may be given once"):
        optim.SGD([w, w], lr=0.1)


def test_12_loading_is_all_or_nothing():
    model = nn.Linear(2, 2)
    before = model.weight.detach().numpy().copy()
    state = {"weight": autograd.zeros(2, 2), "bias": autograd.zeros(3), "extra": autograd.ones(1)}
    with pytest.raises(RuntimeError, match=r"(?s)extra.*bias|bias.*extra"):
        model.load_state_dict(state)
    np.testing.assert_array_equal(model.weight.detach().numpy(), before)


def test_13_state_dict_is_a_plain_dict_over_the_same_memory():
    model = nn.Linear(2, 2)
    state = model.state_dict()
    assert type(state) is dict
    assert list(state) == ["weight", "bias"]
    assert np.shares_memory(state["weight"].numpy(), model.weight.detach().numpy())


def test_14_initialisers_raise_value_errors():
    with pytest.raises(ValueError, match="std"):
        nn.init.normal_(autograd.ones(2), std=-1.0)


def test_15_slopes_are_those_of_what_is_computed():
    x = autograd.tensor(np.array([0.5]), requires_grad=True)
    nn.functional.hardsigmoid(x).sum().backward()
    assert x.grad is not None
    assert x.grad.item() == 1 / 6
    x = autograd.tensor(np.array([[0.25, 0.5]]), requires_grad=True)
    axis = autograd.tensor(np.array([[1.0, 0.0]]))
    nn.functional.cosine_similarity(x, axis, eps=2.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.25, 0.0]]  # of x / 2 times 1 / 2


def test_16_numpy_spellings_are_accepted():
    x = autograd.ones(2, 3)
    assert x.sum(axis=0, keepdims=True).shape == (1, 3)
    with pytest.raises(TypeError, match="give dim or axis, not both"):
        x.sum(0, axis=0)


def test_17_one_seed_one_sequence():
    # Literal numbers: the same on every platform.
    assert autograd.Generator(0).random((2,)).tolist() == [0.6369616873214543, 0.2697867137638703]


def test_18_centred_rmsprop_clamps_the_variance():
    w = autograd.tensor([1.0], dtype=np.float64, requires_grad=True)
    optimizer = optim.RMSprop([w], lr=0.1, alpha=0.5, centered=True, eps=0.0)
    for _ in range(60):  # the gradient is constant: its variance goes to 0, and rounds below it
        optimizer.zero_grad()
        (w * 0.1).sum().backward()
        with np.errstate(all="ignore"):
            optimizer.step()
    assert not np.isnan(w.item())


def test_19_windows_wholly_outside_are_refused():
    with pytest.raises(ValueError, match="wholly outside"):
        autograd.max_pool2d(autograd.ones(1, 1, 2, 2), 2, padding=1, dilation=3)


def test_20_the_first_of_equal_elements():
    x = autograd.tensor([3.0, 1.0, 3.0, 1.0])
    assert x.topk(1).indices.tolist() == [0]
    assert x.kthvalue(1).indices.item() == 1
    assert autograd.tensor([2.0, 2.0, 2.0]).median(0).indices.item() == 0


def test_21_the_norm_of_order_zero_counts():
    x = autograd.tensor([3.0, 0.0, -1.0], requires_grad=True)
    assert x.norm(0).item() == 2.0
    assert not x.norm(0).requires_grad


def test_22_norms_of_extreme_numbers_are_finite():
    assert autograd.tensor([3e30, 4e30]).norm().item() == pytest.approx(5e30, rel=1e-6)
    assert autograd.tensor([3e-30, 4e-30]).norm().item() == pytest.approx(5e-30, rel=1e-6)


def test_23_reductions_of_everything():
    x = autograd.tensor([[True, False], [True, True]])
    assert x.all(dim=()).shape == ()
    assert x.any(dim=()).item() is True
    assert autograd.ones(2, 3).prod((0, 1)).item() == 1.0
    assert autograd.zeros(2, 2).logsumexp().item() == pytest.approx(np.log(4.0))
    assert autograd.tensor([False, True]).argmax().item() == 1


def test_24_slices_may_run_backwards():
    x = autograd.arange(4.0, requires_grad=True)
    y = x[::-2]
    assert y.tolist() == [3.0, 1.0]
    (y * autograd.tensor([1.0, 2.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 2.0, 0.0, 1.0]


def test_25_view_copies_where_it_must():
    assert autograd.arange(6).reshape(2, 3).T.view(6).tolist() == [0, 3, 1, 4, 2, 5]


def test_26_bytes_are_numbers():
    assert autograd.arange(4)[autograd.tensor([1, 1], np.uint8)].tolist() == [1, 1]


def test_27_take_along_dim_checks_its_indices():
    with pytest.raises(IndexError):
        autograd.take_along_dim(autograd.ones(2), autograd.tensor([2]), 0)


def test_28_scatter_has_gradients():
    src = autograd.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = autograd.tensor([0, 0])
    autograd.zeros(2).scatter(0, index, src, reduce="add").sum().backward()
    assert src.grad is not None
    assert src.grad.tolist() == [1.0, 1.0, 0.0]


def test_29_quotients_rounded_down_have_slope_zero():
    x = autograd.tensor([5.0, -5.0], requires_grad=True)
    (x // 2.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0]


def test_30_integers_where_pytorch_has_floats_only():
    assert autograd.hypot(autograd.tensor([3]), autograd.tensor([4])).tolist() == [5.0]
    zero = autograd.tensor([0])
    assert autograd.logaddexp(zero, zero).tolist() == pytest.approx([np.log(2.0)], rel=1e-6)
    assert autograd.logaddexp2(zero, zero).tolist() == [1.0]


def test_31_slopes_far_out_and_at_zero():
    x = autograd.tensor([1e30], requires_grad=True)
    (slope,) = autograd.grad(x.asinh().sum(), x)
    assert slope.tolist() == pytest.approx([1e-30], rel=1e-6)
    zero = autograd.tensor(0.0, np.float64, requires_grad=True)
    (first,) = autograd.grad(autograd.sinc(zero), zero, create_graph=True)
    (second,) = autograd.grad(first, zero)
    assert second.item() == pytest.approx(-(np.pi**2) / 3.0)


def test_32_divmod_works():
    whole, rest = divmod(autograd.tensor([7.0, -7.0]), 2.0)
    assert (whole.tolist(), rest.tolist()) == ([3.0, -4.0], [1.0, 1.0])


def test_33_wrong_dtypes_are_type_errors():
    with pytest.raises(TypeError):
        autograd.logical_and(autograd.ones(2), "x")
    with pytest.raises(TypeError):
        autograd.zeros(2).scatter(0, autograd.tensor([0.5]), 1.0)


def test_34_indices_inside_vmap():
    table, rows = autograd.arange(6.0).reshape(3, 2), autograd.tensor([0, 1, 1])
    with pytest.raises(RuntimeError, match="index made of a tensor inside vmap"):
        autograd.vmap(lambda x, row: x[row])(table, rows)
    taken = autograd.vmap(lambda x, row: autograd.take_along_dim(x, row.reshape(1), 0))(table, rows)
    assert taken.flatten().tolist() == [0.0, 3.0, 5.0]


def test_35_random_numbers_inside_vmap():
    same = autograd.vmap(lambda x: x + autograd.randn(1))(autograd.zeros(20))
    assert len(set(same.flatten().tolist())) == 1
    each = autograd.vmap(lambda p: autograd.bernoulli(p), randomness="different")(
        autograd.full((200,), 0.5)
    )
    assert set(each.tolist()) == {0.0, 1.0}


def test_36_one_checkpoint():
    x = autograd.tensor([2.0], requires_grad=True)
    for reentrant in (True, False):
        y = autograd.checkpoint(lambda x: x**2, x, use_reentrant=reentrant)
        assert autograd.grad(y.sum(), x)[0].tolist() == [4.0]


def test_37_anomalies_of_the_forward_pass():
    x = autograd.tensor([1.0, 0.0], requires_grad=True)
    with autograd.detect_anomaly(), pytest.raises(RuntimeError, match="log"):
        autograd.log(x)


def test_38_distances_of_close_points():
    x = autograd.full((30, 2), 1e4)
    assert autograd.cdist(x, x + 0.01)[0, 0].item() == pytest.approx(0.01 * np.sqrt(2.0), rel=0.05)


def test_39_mixed_floats():
    wide = autograd.ones(1, 1, 1, 1, dtype=np.float64)
    assert autograd.conv2d(autograd.ones(1, 1, 2, 2), wide).dtype == np.float64
    assert (autograd.ones(2, 2) @ autograd.ones(2, 2, dtype=np.float64)).dtype == np.float64


def test_40_samples_are_constants():
    p = autograd.tensor([0.5, 0.5], requires_grad=True)
    assert not autograd.bernoulli(p).requires_grad
    assert not autograd.normal(p, p).requires_grad
    assert not autograd.unique(p).requires_grad


def test_41_numpy_on_tensors():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    y: Any = np.sum(np.ones(2, np.float32) + np.square(x))
    assert autograd.grad(y, x)[0].tolist() == [2.0, 4.0]
    with pytest.raises(TypeError, match="interp"):
        np.interp(x, [0.0, 3.0], [1.0, 2.0])


def test_42_interpolate_has_the_gradient_of_its_values():
    x = autograd.tensor(np.arange(5.0).reshape(1, 1, 5), requires_grad=True)
    assert autograd.gradcheck(lambda x: autograd.interpolate(x, scale_factor=1.1), [x])


def test_43_saved_memory_is_lent_as_read_only():
    w = autograd.tensor([3.0])
    y = autograd.tensor([2.0], requires_grad=True) * w
    assert not np.from_dlpack(w).flags.writeable
    y.backward()
    assert np.from_dlpack(w).flags.writeable


def test_44_leaves_alone_are_pickled():
    x = autograd.ones(2, requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).requires_grad
    with pytest.raises((RuntimeError, TypeError), match="detach"):
        pickle.dumps(x * 2)


def test_45_types_of_errors():
    with pytest.raises(IndexError):
        autograd.gather(autograd.ones(2), 0, autograd.tensor([2]))
    with pytest.raises(ValueError, match="must equal"):
        autograd.matmul(autograd.ones(2, 3), autograd.ones(2, 3))


def test_46_the_derivatives_of_ctc_loss():
    x = autograd.tensor(np.random.default_rng(0).uniform(-2, -1, (4, 1, 3)), requires_grad=True)

    def loss(x, texts):
        return nn.functional.ctc_loss(
            x, autograd.tensor(texts), (4,) * len(texts), (2,) * len(texts)
        )

    assert autograd.gradcheck(lambda x: loss(x, [[1, 2]]), [x])
    assert autograd.gradgradcheck(lambda x: loss(x, [[1, 2]]), [x])
    with pytest.raises(ValueError, match="blank"):
        loss(x, [[1, 0]])


def test_47_finite_losses():
    x = autograd.tensor([-200.0], requires_grad=True)
    nn.functional.soft_margin_loss(x, autograd.ones(1)).backward()
    assert x.grad is not None
    assert x.grad.item() == -1.0
    target = autograd.tensor([0.5], requires_grad=True)
    nn.functional.binary_cross_entropy(autograd.tensor([1.0]), target).backward()
    assert target.grad is not None
    assert np.isfinite(target.grad.item())


def test_48_padding_in_evaluation():
    layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1).eval()
    padding = autograd.tensor([[False, True]])
    with autograd.no_grad():
        assert encoder(autograd.ones(1, 2, 4), src_key_padding_mask=padding)[0, 1].numpy().any()


def test_49_masks_and_causality():
    q = autograd.ones(2, 3)
    mask = autograd.tensor([[True, True], [False, True]])
    y = nn.functional.scaled_dot_product_attention(q, q, autograd.eye(2), mask, is_causal=True)
    assert y.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_50_unpadding():
    rnn = nn.utils.rnn
    padded = autograd.zeros(3, 2, 4)
    rnn.unpad_sequence(padded, autograd.tensor([3, 1]))
    assert padded.shape == (3, 2, 4)
    with pytest.raises(RuntimeError, match="length"):
        rnn.pack_padded_sequence(padded, [4, 1])
