"""Top-k attention: sparse, dense and SDPA forms agree with each other and with equations (10) and (11)."""

import math

import pytest

torch = pytest.importorskip("torch")

from datagen.models.attention import choose_top_k, cross_attention  # noqa: E402


def tensors(B=2, H=4, Q=33, V=157, d=8, k=12, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    q, key, value = (torch.randn(B, H, n, d, generator=generator, dtype=dtype) for n in (1 + Q, V, V))
    chosen = torch.rand(B, Q, V, generator=generator).topk(k, dim=-1).indices.sort(dim=-1).values
    return q, key, value, chosen


def gradients(form, q, k, v, chosen):
    leaves = [t.clone().requires_grad_() for t in (q, k, v)]
    out = cross_attention(*leaves, chosen, form)
    weight = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    (out * weight).sum().backward()
    return [out.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("form", ["sparse", "sdpa"])
@pytest.mark.parametrize("sizes", [{}, {"B": 1, "Q": 300, "V": 1000, "k": 100, "H": 8, "d": 16}, {"Q": 1, "k": 1}])
def test_forms_equal_the_dense_masked_form(form, sizes):
    data = tensors(**sizes)
    for ours, dense in zip(gradients(form, *data), gradients("dense", *data), strict=True):
        assert (ours - dense).abs().max() <= 1e-5


def test_equations_10_and_11_by_a_float64_loop():
    q, key, value, chosen = tensors(B=1, H=2, Q=5, V=17, d=3, k=4, dtype=torch.float64)
    found = cross_attention(q.float(), key.float(), value.float(), chosen, "sparse")
    for head in range(2):
        for row in range(6):
            allowed = range(17) if row == 0 else chosen[0, row - 1].tolist()
            score = {
                j: sum(float(a * b) for a, b in zip(q[0, head, row], key[0, head, j], strict=True)) for j in allowed
            }
            weight = {j: math.exp(s / math.sqrt(3)) for j, s in score.items()}
            total = sum(weight.values())
            for c in range(3):
                naive = sum(weight[j] / total * float(value[0, head, j, c]) for j in allowed)
                assert abs(naive - float(found[0, head, row, c])) < 1e-5


def test_the_gradient_of_the_sparse_form_is_the_numerical_one():
    """Finite differences, in float32 because the sparse form computes in it."""
    q, key, value, chosen = tensors(B=1, H=1, Q=3, V=9, d=2, k=3)
    _, *found = gradients("sparse", q, key, value, chosen)
    weight = torch.linspace(-1, 1, q.numel()).view_as(q)
    for which, grad in enumerate(found):
        for place in (0, grad.numel() // 2, grad.numel() - 1):
            values = []
            for step in (1e-2, -1e-2):
                moved = [t.clone() for t in (q, key, value)]
                moved[which].view(-1)[place] += step
                values.append(float((cross_attention(*moved, chosen, "sparse") * weight).sum()))
            assert abs((values[0] - values[1]) / 2e-2 - float(grad.view(-1)[place])) < 2e-3


def test_choosing_all_is_plain_attention():
    q, key, value, _ = tensors(V=20)
    every = torch.arange(20).expand(2, 33, 20)
    plain = cross_attention(q, key, value, None)
    assert (cross_attention(q, key, value, every, "sparse") - plain).abs().max() <= 1e-5


def test_keys_that_nobody_chose_do_not_matter():
    q, key, value, chosen = tensors()
    unused = torch.ones(2, 157, dtype=torch.bool).scatter_(1, chosen.flatten(1), False)
    assert unused.any()
    other = value.masked_fill(unused[:, None, :, None], 1e6)
    same = cross_attention(q, key, value, chosen)[:, :, 1:]
    assert torch.equal(same, cross_attention(q, key, other, chosen)[:, :, 1:])


def test_top_k_takes_the_largest_and_ties_go_to_the_lowest_index():
    generator = torch.Generator().manual_seed(2)
    similarity = torch.randint(0, 6, (3, 40, 200), generator=generator).float()
    similarity[0, 0] = 0.0
    stable = similarity.sort(dim=-1, descending=True, stable=True).indices[..., :30].sort(dim=-1).values
    assert torch.equal(choose_top_k(similarity, 30), stable)
    assert choose_top_k(similarity, 30)[0, 0].tolist() == list(range(30))
    with pytest.raises(ValueError, match="exceeds"):
        choose_top_k(similarity, 201)


def test_no_tensor_of_the_dense_size_is_made():
    """The largest tensor of forward and backward stays far below Q x V x heads."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            for tensor in out if isinstance(out, tuple | list) else [out]:
                if isinstance(tensor, torch.Tensor):
                    self.largest = max(self.largest, tensor.numel())
            return out

    data = tensors(B=1, H=8, Q=512, V=4096, d=16, k=50)
    sizes = {}
    for form in ("sparse", "dense"):
        with Watch() as watch:
            gradients(form, *data)
        sizes[form] = watch.largest
    assert sizes["dense"] >= 512 * 4096 * 8
    assert sizes["sparse"] <= sizes["dense"] / 16
